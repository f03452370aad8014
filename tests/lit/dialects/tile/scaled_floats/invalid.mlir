// RUN: smalti-opt %s --split-input-file --verify-diagnostics

tile.program @main {
  %x = tile.alloc core 0 : memref<1x3x16xf8E4M3FN, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xf8E4M3FN, "local">
  %acc = tile.alloc core 0 : memref<1x3x16xi32, "acc">
  // expected-error @below {{'tile.matmul': acc must be stored as f32, is i32}}
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 12 : memref<1x3x16xf8E4M3FN, "local">, memref<1x1x10x16xf8E4M3FN, "local"> -> memref<1x3x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x3x16xf8E4M3FN, "local">
  %w = tile.alloc core 0 : memref<1x1x10x8xui8, "local">
  %acc = tile.alloc core 0 : memref<1x3x16xf32, "acc">
  // expected-error @below {{'tile.matmul': inputs of f8E4M3FN do not meet packed weights}}
  tile.matmul core 0 %x, %w -> %acc packed = "i4" depth = 10 columns = 12 : memref<1x3x16xf8E4M3FN, "local">, memref<1x1x10x8xui8, "local"> -> memref<1x3x16xf32, "acc">
}
