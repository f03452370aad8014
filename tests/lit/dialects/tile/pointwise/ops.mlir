// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

tile.program @main {
  %x = tile.alloc core 0 : memref<2x4xf32, "local">
  %y = tile.alloc core 0 : memref<2x4xf32, "local">
  %m = tile.alloc core 0 : memref<2x4xi1, "local">
  %q = tile.alloc core 0 : memref<2x4xi8, "local">
  %r = tile.alloc core 0 : memref<2x4xui8, "local">
  %t = tile.alloc core 0 : memref<256xui8, "local">
  tile.unary core 0 %x -> %y kind = "elu" columns = 3 alpha = 0.5 clamp = [0.0, 1.0] : memref<2x4xf32, "local"> -> memref<2x4xf32, "local">
  tile.unary core 0 %y -> %m kind = "is_nan" columns = 3 : memref<2x4xf32, "local"> -> memref<2x4xi1, "local">
  tile.lookup core 0 %q, %t -> %r columns = 3 zero_point = 7 : memref<2x4xi8, "local">, memref<256xui8, "local"> -> memref<2x4xui8, "local">
  tile.binary core 0 %x, %y -> %m kind = "less" : memref<2x4xf32, "local">, memref<2x4xf32, "local"> -> memref<2x4xi1, "local">
  tile.binary core 0 %q, %q -> %q kind = "min" : memref<2x4xi8, "local">, memref<2x4xi8, "local"> -> memref<2x4xi8, "local">
  tile.binary core 0 %m, %m -> %m kind = "xor" : memref<2x4xi1, "local">, memref<2x4xi1, "local"> -> memref<2x4xi1, "local">
  tile.select core 0 %m, %x, %y -> %x : memref<2x4xi1, "local">, memref<2x4xf32, "local">, memref<2x4xf32, "local"> -> memref<2x4xf32, "local">
}

// CHECK: tile.unary core 0 %x -> %y kind = "elu" columns = 3 alpha = 0.5 clamp = [0.0, 1.0] : memref<2x4xf32, "local"> -> memref<2x4xf32, "local">
// CHECK: tile.unary core 0 %y -> %m kind = "is_nan" columns = 3 : memref<2x4xf32, "local"> -> memref<2x4xi1, "local">
// CHECK: tile.lookup core 0 %q, %t -> %r columns = 3 zero_point = 7 : memref<2x4xi8, "local">, memref<256xui8, "local"> -> memref<2x4xui8, "local">
// CHECK: tile.binary core 0 %x, %y -> %m kind = "less" : memref<2x4xf32, "local">, memref<2x4xf32, "local"> -> memref<2x4xi1, "local">
// CHECK: tile.binary core 0 %q, %q -> %q kind = "min" : memref<2x4xi8, "local">, memref<2x4xi8, "local"> -> memref<2x4xi8, "local">
// CHECK: tile.binary core 0 %m, %m -> %m kind = "xor" : memref<2x4xi1, "local">, memref<2x4xi1, "local"> -> memref<2x4xi1, "local">
// CHECK: tile.select core 0 %m, %x, %y -> %x : memref<2x4xi1, "local">, memref<2x4xf32, "local">, memref<2x4xf32, "local"> -> memref<2x4xf32, "local">
