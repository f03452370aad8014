// RUN: smalti-opt %s --split-input-file --verify-diagnostics

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x16xui8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': weights are packed as i4, got 'i8'}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] packed = "i8" : memref<1x8x8x16xi8, "local">, memref<1x36x16xui8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x16xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': w must be stored as u8, is i8}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] packed = "i4" : memref<1x8x8x16xi8, "local">, memref<1x36x16xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xf16, "local">
  %w = tile.alloc core 0 : memref<1x36x16xui8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xf32, "acc">
  // expected-error @below {{'tile.conv2d': inputs of f16 are not narrow}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] packed = "i4" narrow : memref<1x8x8x16xf16, "local">, memref<1x36x16xui8, "local"> -> memref<1x8x8x16xf32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x16xui8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': a row of 30 weights takes 15 bytes, w has 16}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] packed = "i4" block = 30 : memref<1x8x8x16xi8, "local">, memref<1x36x16xui8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x16xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': 'narrow' is for products with packed weights}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] narrow : memref<1x8x8x16xi8, "local">, memref<1x36x16xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x16xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': 'block' is for products with packed weights}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] block = 16 : memref<1x8x8x16xi8, "local">, memref<1x36x16xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x8xui8, "local">
  %acc = tile.alloc core 0 : memref<1x3x16xi32, "acc">
  // expected-error @below {{'tile.matmul': packed weights have zero point 0}}
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 10 zero_points = [0, 1] packed = "i4" : memref<1x3x16xi8, "local">, memref<1x1x10x8xui8, "local"> -> memref<1x3x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x8xui8, "local">
  %acc = tile.alloc core 0 : memref<1x3x16xi32, "acc">
  // expected-error @below {{'tile.matmul': packed weights are not transposed}}
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 10 transpose_w packed = "i4" : memref<1x3x16xi8, "local">, memref<1x1x10x8xui8, "local"> -> memref<1x3x16xi32, "acc">
}

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<8x16xf32, "acc">
  %table = tile.alloc core 0 : memref<3x16xf32, "local">
  %out = tile.alloc core 0 : memref<8x16xf16, "local">
  // expected-error @below {{'tile.epilogue': table must have 1 or 2 rows, has 3}}
  tile.epilogue core 0 %acc, %table -> %out channels = 8 : memref<8x16xf32, "acc">, memref<3x16xf32, "local"> -> memref<8x16xf16, "local">
}
