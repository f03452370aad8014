// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

// Floats of 8 bits with a scale, or one for each output channel: sums, in f32, are multiplied by both.

func.func @f(%x: tensor<1x3xf16>) -> tensor<1x2xf16> {
  %s = tpu.cast "s" %x : (tensor<1x3xf16>) -> tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>
  %w = tpu.weight "w" seed = 1 : tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {0.5,0.125}>>
  %y = tpu.matmul "y" %s, %w accumulator = "f32" : (tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {0.5,0.125}>>) -> tensor<1x2xf16>
  return %y : tensor<1x2xf16>
}

// CHECK: %s = tpu.cast "s" %x : (tensor<1x3xf16>) -> tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 2.500000e-01>>
// CHECK: tpu.matmul "y" %s, %w accumulator = "f32" : (tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 2.500000e-01>>, tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {5.000000e-01,1.250000e-01}>>) -> tensor<1x2xf16>
