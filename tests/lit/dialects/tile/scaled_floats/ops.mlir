// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

tile.program @main {
  %half = tile.alloc core 0 : memref<1x3x16xf16, "local">
  %x = tile.alloc core 0 : memref<1x3x16xf8E4M3FN, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xf8E4M3FN, "local">
  %acc = tile.alloc core 0 : memref<1x3x16xf32, "acc">
  tile.convert core 0 %half -> %x columns = 10 scale = 0.25 : memref<1x3x16xf16, "local"> -> memref<1x3x16xf8E4M3FN, "local">
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 12 : memref<1x3x16xf8E4M3FN, "local">, memref<1x1x10x16xf8E4M3FN, "local"> -> memref<1x3x16xf32, "acc">
}

// CHECK: tile.convert core 0 %half -> %x columns = 10 scale = 0.25 :
// CHECK: tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 12 :
