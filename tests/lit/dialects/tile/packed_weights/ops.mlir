// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | filecheck %s --check-prefix GENERIC

// Rows of weights of 4 bits are bytes, two weights in each; a row of an odd number says how many it has.

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x16xui8, "local">
  %odd = tile.alloc core 0 : memref<1x36x5xui8, "local">
  %dw = tile.alloc core 0 : memref<9x8xui8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc packed = "i4" channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<1x36x16xui8, "local"> -> memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %odd -> %acc packed = "i4" block = 9 narrow channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<1x36x5xui8, "local"> -> memref<1x8x8x16xi32, "acc">
  tile.depthwise_conv2d core 0 %x, %dw -> %acc packed = "i4" channels = [4, 4] kernel = [3, 3] pads = [1, 1] groups = 4 : memref<1x8x8x16xi8, "local">, memref<9x8xui8, "local"> -> memref<1x8x8x16xi32, "acc">
  // Integers multiply floats, and the epilogue multiplies the sums by a second row of the table.
  %half = tile.alloc core 0 : memref<1x8x8x16xf16, "local">
  %w8 = tile.alloc core 0 : memref<1x36x16xi8, "local">
  %facc = tile.alloc core 0 : memref<1x8x8x16xf32, "acc">
  %table = tile.alloc core 0 : memref<2x16xf32, "local">
  tile.conv2d core 0 %half, %w8 -> %facc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xf16, "local">, memref<1x36x16xi8, "local"> -> memref<1x8x8x16xf32, "acc">
  tile.conv2d core 0 %half, %w -> %facc packed = "i4" channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xf16, "local">, memref<1x36x16xui8, "local"> -> memref<1x8x8x16xf32, "acc">
  tile.epilogue core 0 %facc, %table -> %half channels = 8 : memref<1x8x8x16xf32, "acc">, memref<2x16xf32, "local"> -> memref<1x8x8x16xf16, "local">
  %lhs = tile.alloc core 0 : memref<1x3x16xi8, "local">
  %rhs = tile.alloc core 0 : memref<1x1x10x8xui8, "local">
  %sums = tile.alloc core 0 : memref<1x3x16xi32, "acc">
  tile.matmul core 0 %lhs, %rhs -> %sums packed = "i4" depth = 10 columns = 12 : memref<1x3x16xi8, "local">, memref<1x1x10x8xui8, "local"> -> memref<1x3x16xi32, "acc">
}

// CHECK:      tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] packed = "i4" : memref<1x8x8x16xi8, "local">, memref<1x36x16xui8, "local">
// CHECK-NEXT: tile.conv2d core 0 %x, %odd -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] packed = "i4" block = 9 narrow :
// CHECK-NEXT: tile.depthwise_conv2d core 0 %x, %dw -> %acc channels = [4, 4] kernel = [3, 3] pads = [1, 1] groups = 4 packed = "i4" :
// CHECK:      tile.conv2d core 0 %half, %w8 -> %facc channels = [4, 8] kernel = [3, 3] pads = [1, 1] :
// CHECK-NEXT: tile.conv2d core 0 %half, %w -> %facc channels = [4, 8] kernel = [3, 3] pads = [1, 1] packed = "i4" :
// CHECK-NEXT: tile.epilogue core 0 %facc, %table -> %half channels = 8 :
// CHECK:      tile.matmul core 0 %lhs, %rhs -> %sums depth = 10 columns = 12 packed = "i4" :

// GENERIC: "tile.conv2d"(%x, %odd, %acc) <{{{.*}}packed = "i4", block = 9 : i64, narrow{{.*}}}>
