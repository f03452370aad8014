// RUN: smalti-opt %s --split-input-file --load-plugin=smalti_gates --verify-diagnostics

func.func @shape(%x: tensor<1x5x2x3xf32>, %bound: tensor<4xf32>) -> tensor<1x5x2x3xf32> {
  // expected-error @+1 {{low must have shape [5], one number a channel}}
  %a = gates.leaky_clamp "a" %x, %bound, %bound shift = 3 : (tensor<1x5x2x3xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x5x2x3xf32>
  func.return %a : tensor<1x5x2x3xf32>
}

// -----

func.func @scales(%x: tensor<2x5x!quant.uniform<i8:f32, 0.5>>, %bound: tensor<5x!quant.uniform<i8:f32, 0.25>>) -> tensor<2x5x!quant.uniform<i8:f32, 0.5>> {
  // expected-error @+1 {{low must have the element type of input}}
  %a = gates.tpu_leaky_clamp "a" %x, %bound, %bound shift = 3 : (tensor<2x5x!quant.uniform<i8:f32, 0.5>>, tensor<5x!quant.uniform<i8:f32, 0.25>>, tensor<5x!quant.uniform<i8:f32, 0.25>>) -> tensor<2x5x!quant.uniform<i8:f32, 0.5>>
  func.return %a : tensor<2x5x!quant.uniform<i8:f32, 0.5>>
}
