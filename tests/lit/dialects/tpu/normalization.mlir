// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

func.func @normalizations(%x: tensor<1x8x4x64xf16>) -> (tensor<1x8x4x64xf16>) {
  %w = tpu.weight "w" seed = 1 : tensor<64xf32>
  %layer = tpu.normalize "layer" %x, %w bias %w kind = "mean_variance" axes = [3] epsilon = 1.000000e-05 : (tensor<1x8x4x64xf16>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x8x4x64xf16>
  %unit = tpu.normalize "unit" %layer kind = "l1" axes = [1, 2] epsilon = 0.0 : (tensor<1x8x4x64xf16>) -> tensor<1x8x4x64xf16>
  %local = tpu.local_response_norm "local" %unit size = 5 alpha = 0.5 beta = 0.75 offset = 2.0 : (tensor<1x8x4x64xf16>) -> tensor<1x8x4x64xf16>
  return %local : tensor<1x8x4x64xf16>
}

// CHECK:          %layer = tpu.normalize "layer" %x, %w bias %w kind = "mean_variance" axes = [3] epsilon = 1.000000e-05 : (tensor<1x8x4x64xf16>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x8x4x64xf16>
// CHECK-NEXT:     %unit = tpu.normalize "unit" %layer kind = "l1" axes = [1, 2] epsilon = 0.0 : (tensor<1x8x4x64xf16>) -> tensor<1x8x4x64xf16>
// CHECK-NEXT:     %local = tpu.local_response_norm "local" %unit size = 5 alpha = 0.5 beta = 0.75 offset = 2.0 : (tensor<1x8x4x64xf16>) -> tensor<1x8x4x64xf16>
