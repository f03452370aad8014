// RUN: not smalti-opt %s --split-input-file 2>&1 | filecheck %s

tile.program @main {
  %x = tile.alloc core 0 : memref<2x4xf32, "local">
  %y = tile.alloc core 0 : memref<2x4xf32, "local">
  tile.unary core 0 %x -> %y kind = "expp" columns = 3 : memref<2x4xf32, "local"> -> memref<2x4xf32, "local">
}

// CHECK: error: 'tile.unary': kind must be one of abs, {{.*}}, got 'expp'

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x4xi8, "local">
  %y = tile.alloc core 0 : memref<2x4xi8, "local">
  tile.unary core 0 %x -> %y kind = "exp" columns = 3 : memref<2x4xi8, "local"> -> memref<2x4xi8, "local">
}

// CHECK: error: 'tile.unary': exp is for floats, x is i8

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x4xf32, "local">
  %y = tile.alloc core 0 : memref<2x4xf32, "local">
  tile.unary core 0 %x -> %y kind = "not" columns = 3 : memref<2x4xf32, "local"> -> memref<2x4xf32, "local">
}

// CHECK: error: 'tile.unary': x must be stored as bool, is f32

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x4xf32, "local">
  %y = tile.alloc core 0 : memref<3x4xf32, "local">
  tile.unary core 0 %x -> %y kind = "exp" columns = 3 : memref<2x4xf32, "local"> -> memref<3x4xf32, "local">
}

// CHECK: error: 'tile.unary': out has 3 rows, x has 2

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x4xi8, "local">
  %t = tile.alloc core 0 : memref<255xi8, "local">
  %y = tile.alloc core 0 : memref<2x4xi8, "local">
  tile.lookup core 0 %x, %t -> %y columns = 3 : memref<2x4xi8, "local">, memref<255xi8, "local"> -> memref<2x4xi8, "local">
}

// CHECK: error: 'tile.lookup': table must have shape [256], has [255]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x4xf32, "local">
  %t = tile.alloc core 0 : memref<256xi8, "local">
  %y = tile.alloc core 0 : memref<2x4xi8, "local">
  tile.lookup core 0 %x, %t -> %y columns = 3 : memref<2x4xf32, "local">, memref<256xi8, "local"> -> memref<2x4xi8, "local">
}

// CHECK: error: 'tile.lookup': x must be stored as i8 or u8, is f32

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x4xi8, "local">
  %t = tile.alloc core 0 : memref<256xi8, "local">
  %y = tile.alloc core 0 : memref<2x4xi8, "local">
  tile.lookup core 0 %x, %t -> %y columns = 3 zero_point = 200 : memref<2x4xi8, "local">, memref<256xi8, "local"> -> memref<2x4xi8, "local">
}

// CHECK: error: 'tile.lookup': zero point 200 is outside the range of i8, -128 to 127

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4xf32, "local">
  %b = tile.alloc core 0 : memref<4xf32, "local">
  %o = tile.alloc core 0 : memref<4xf32, "local">
  tile.binary core 0 %a, %b -> %o kind = "and" : memref<4xf32, "local">, memref<4xf32, "local"> -> memref<4xf32, "local">
}

// CHECK: error: 'tile.binary': a must be stored as bool, is f32

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4xi8, "local">
  %b = tile.alloc core 0 : memref<4xi8, "local">
  %o = tile.alloc core 0 : memref<4xi8, "local">
  tile.binary core 0 %a, %b -> %o kind = "power" : memref<4xi8, "local">, memref<4xi8, "local"> -> memref<4xi8, "local">
}

// CHECK: error: 'tile.binary': power is for floats, out is i8

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4xi8, "local">
  %b = tile.alloc core 0 : memref<4xi8, "local">
  %o = tile.alloc core 0 : memref<4xi8, "local">
  tile.binary core 0 %a, %b -> %o kind = "less" : memref<4xi8, "local">, memref<4xi8, "local"> -> memref<4xi8, "local">
}

// CHECK: error: 'tile.binary': out must be stored as bool, is i8

// -----

tile.program @main {
  %c = tile.alloc core 0 : memref<4xf32, "local">
  %a = tile.alloc core 0 : memref<4xf32, "local">
  %b = tile.alloc core 0 : memref<4xf32, "local">
  %o = tile.alloc core 0 : memref<4xf32, "local">
  tile.select core 0 %c, %a, %b -> %o : memref<4xf32, "local">, memref<4xf32, "local">, memref<4xf32, "local"> -> memref<4xf32, "local">
}

// CHECK: error: 'tile.select': condition must be stored as bool, is f32

// -----

tile.program @main {
  %c = tile.alloc core 0 : memref<3xi1, "local">
  %a = tile.alloc core 0 : memref<4xf32, "local">
  %b = tile.alloc core 0 : memref<4xf32, "local">
  %o = tile.alloc core 0 : memref<4xf32, "local">
  tile.select core 0 %c, %a, %b -> %o : memref<3xi1, "local">, memref<4xf32, "local">, memref<4xf32, "local"> -> memref<4xf32, "local">
}

// CHECK: error: 'tile.select': condition [3] and a [4] and b [4] do not broadcast to out [4]
