// RUN: smalti-opt %s --split-input-file --verify-diagnostics

tile.program @main {
  %x = tile.alloc core 0 : memref<1x3x64xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x68x16xi8, "local">
  %acc = tile.alloc core 0 : memref<1x3x16xi32, "acc">
  // expected-error @below {{'tile.matmul': 'group' is for products with packed weights}}
  tile.matmul core 0 %x, %w -> %acc group = 32 depth = 64 columns = 12 : memref<1x3x64xi8, "local">, memref<1x1x68x16xi8, "local"> -> memref<1x3x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x3x64xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x68x8xui8, "local">
  %acc = tile.alloc core 0 : memref<1x3x16xi32, "acc">
  // expected-error @below {{'tile.matmul': products of weights with scales of groups are not narrow}}
  tile.matmul core 0 %x, %w -> %acc packed = "i4" narrow group = 32 depth = 64 columns = 12 : memref<1x3x64xi8, "local">, memref<1x1x68x8xui8, "local"> -> memref<1x3x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x3x64xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x68x8xui8, "local">
  %acc = tile.alloc core 0 : memref<1x3x16xi32, "acc">
  // expected-error @below {{'tile.matmul': a group has at least 1 row, not 0}}
  tile.matmul core 0 %x, %w -> %acc packed = "i4" group = 0 depth = 64 columns = 12 : memref<1x3x64xi8, "local">, memref<1x1x68x8xui8, "local"> -> memref<1x3x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x3x64xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x64x8xui8, "local">
  %acc = tile.alloc core 0 : memref<1x3x16xi32, "acc">
  // expected-error @below {{'tile.matmul': w must have shape [blocks, 68, block], has [1, 64, 16]}}
  tile.matmul core 0 %x, %w -> %acc packed = "i4" group = 32 depth = 64 columns = 12 : memref<1x3x64xi8, "local">, memref<1x1x64x8xui8, "local"> -> memref<1x3x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<9x8xui8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.depthwise_conv2d': depthwise weights have no groups of input channels}}
  tile.depthwise_conv2d core 0 %x, %w -> %acc packed = "i4" group = 32 channels = [4, 4] kernel = [3, 3] pads = [1, 1] groups = 4 : memref<1x8x8x16xi8, "local">, memref<9x8xui8, "local"> -> memref<1x8x8x16xi32, "acc">
}
