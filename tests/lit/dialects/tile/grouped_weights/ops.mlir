// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | filecheck %s --check-prefix GENERIC

// The scales of a group stand before its weights: beside i8 in two rows, beside f32 in eight.

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x48xi8, "local">
  // Of each of 9 taps 32 channels and 8: 9 · (2 + 32 + 2 + 8) rows.
  %w = tile.alloc core 0 : memref<1x396x8xui8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc packed = "i4" group = 32 channels = [40, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x48xi8, "local">, memref<1x396x8xui8, "local"> -> memref<1x8x8x16xi32, "acc">
  %lhs = tile.alloc core 0 : memref<1x3x64xf32, "local">
  %rhs = tile.alloc core 0 : memref<1x1x80x8xui8, "local">
  %sums = tile.alloc core 0 : memref<1x3x16xf32, "acc">
  tile.matmul core 0 %lhs, %rhs -> %sums packed = "i4" group = 32 depth = 64 columns = 12 : memref<1x3x64xf32, "local">, memref<1x1x80x8xui8, "local"> -> memref<1x3x16xf32, "acc">
}

// CHECK:      tile.conv2d core 0 %x, %w -> %acc channels = [40, 8] kernel = [3, 3] pads = [1, 1] packed = "i4" group = 32 :
// CHECK:      tile.matmul core 0 %lhs, %rhs -> %sums depth = 64 columns = 12 packed = "i4" group = 32 :

// GENERIC: "tile.conv2d"(%x, %w, %acc) <{{{.*}}packed = "i4"{{.*}}group = 32 : i64{{.*}}}>
