// RUN: smalti-opt %s | filecheck %s
// RUN: smalti-opt %s --mlir-print-op-generic | smalti-opt | filecheck %s

tile.program @valid {
  %x = tile.global "x" segment = "input" shape = [2, 10] order = [0, 1] : memref<2x10xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 1] order = [0, 1] : memref<2x1xi64, "global">
  tile.host_call core 0 %x -> %y function = "argmax" sizes = [2, 10, 1, 1] : memref<2x10xf32, "global"> -> memref<2x1xi64, "global">
}


// CHECK: tile.host_call core 0 %x -> %y function = "argmax" sizes = [2, 10, 1, 1] : memref<2x10xf32, "global"> -> memref<2x1xi64, "global">
