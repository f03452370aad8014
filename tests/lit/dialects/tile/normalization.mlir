// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %table = tile.alloc core 0 : memref<2x3x1x16xf32, "local">
  tile.normalize core 0 %x parameters %table -> %x kind = "mean_variance" length = 3 inner = 16 epsilon = 1.000000e-05 : memref<6x48xf32, "local">, memref<2x3x1x16xf32, "local"> -> memref<6x48xf32, "local">
  tile.normalize core 0 %x -> %x kind = "rms" length = 37 epsilon = 0.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
  tile.local_response_norm core 0 %x -> %x columns = 37 size = 5 alpha = 0.5 beta = 0.75 offset = 1.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// CHECK:          tile.normalize core 0 %x parameters %table -> %x kind = "mean_variance" length = 3 inner = 16 epsilon = 1.000000e-05 : memref<6x48xf32, "local">, memref<2x3x1x16xf32, "local"> -> memref<6x48xf32, "local">
// CHECK-NEXT:     tile.normalize core 0 %x -> %x kind = "rms" length = 37 epsilon = 0.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
// CHECK-NEXT:     tile.local_response_norm core 0 %x -> %x columns = 37 size = 5 alpha = 0.5 beta = 0.75 offset = 1.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
