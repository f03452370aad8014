// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | filecheck %s --check-prefix GENERIC

// Fields may stand in any order; a list of one value for all parts is written as the value.
tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y1 = tile.global "y1" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y2 = tile.global "y2" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y3 = tile.global "y3" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y1 : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<tile = [[1, 32]], split = [1, 2], cores = [3, 1]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y2 : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<cores = [0, 1], windows = [[0, 2, 0, 48], [0, 2, 48, 64]], tile = [[1, 48], [2, 16]], depth = [64, 32], order = [channels_outer, rows_outer], block = 16, weights = multicast> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
  tile.layer core 1 (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y3 : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<weights = separate> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// CHECK: window = [0, 2, 0, 64] schedule = #tile.schedule<cores = [3, 1], split = [1, 2], tile = [1, 32]> {
// CHECK: schedule = #tile.schedule<cores = [0, 1], windows = {{\[\[}}0, 2, 0, 48], [0, 2, 48, 64]], tile = {{\[\[}}1, 48], [2, 16]], depth = [64, 32], order = [channels_outer, rows_outer], block = 16, weights = multicast> {
// CHECK: window = [0, 2, 0, 64] schedule = #tile.schedule<weights = separate> {

// GENERIC: window = array<i64: 0, 2, 0, 64>, schedule = #tile.schedule<cores = [3, 1], split = [1, 2], tile = [1, 32]>}>
