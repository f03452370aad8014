// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

func.func @normalizations(%x: tensor<1x8x4x64xf32>) -> (tensor<1x8x4x64xf32>) {
  %w = top.weight "w" seed = 1 : tensor<64xf32>
  %b = top.weight "b" seed = 2 : tensor<64xf32>
  %layer = top.normalize "layer" %x, %w bias %b kind = "mean_variance" axes = [3] epsilon = 1.000000e-05 : (tensor<1x8x4x64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x8x4x64xf32>
  %rms = top.normalize "rms" %layer bias %b kind = "rms" axes = [2, 3] epsilon = 0.0 : (tensor<1x8x4x64xf32>, tensor<64xf32>) -> tensor<1x8x4x64xf32>
  %unit = top.normalize "unit" %rms kind = "l2" axes = [1] epsilon = 0.0 : (tensor<1x8x4x64xf32>) -> tensor<1x8x4x64xf32>
  %local = top.local_response_norm "local" %unit size = 5 alpha = 0.0001 beta = 0.75 offset = 1.0 : (tensor<1x8x4x64xf32>) -> tensor<1x8x4x64xf32>
  %log = top.softmax "log" %local axis = 3 log : (tensor<1x8x4x64xf32>) -> tensor<1x8x4x64xf32>
  return %log : tensor<1x8x4x64xf32>
}

// CHECK:          %layer = top.normalize "layer" %x, %w bias %b kind = "mean_variance" axes = [3] epsilon = 1.000000e-05 : (tensor<1x8x4x64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x8x4x64xf32>
// CHECK-NEXT:     %rms = top.normalize "rms" %layer bias %b kind = "rms" axes = [2, 3] epsilon = 0.0 : (tensor<1x8x4x64xf32>, tensor<64xf32>) -> tensor<1x8x4x64xf32>
// CHECK-NEXT:     %unit = top.normalize "unit" %rms kind = "l2" axes = [1] epsilon = 0.0 : (tensor<1x8x4x64xf32>) -> tensor<1x8x4x64xf32>
// CHECK-NEXT:     %local = top.local_response_norm "local" %unit size = 5 alpha = 0.0001 beta = 0.75 offset = 1.0 : (tensor<1x8x4x64xf32>) -> tensor<1x8x4x64xf32>
// CHECK-NEXT:     %log = top.softmax "log" %local axis = 3 log : (tensor<1x8x4x64xf32>) -> tensor<1x8x4x64xf32>
