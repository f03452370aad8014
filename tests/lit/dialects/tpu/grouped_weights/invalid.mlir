// RUN: smalti-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<1x3x!quant.uniform<i8:f32, 0.5>>) {
  %w = tpu.weight "w" seed = 1 : tensor<3x2x!quant.uniform<i4:f32:{0:2, 1:1}, {{0.5, 0.25}, {1.0, 0.37}}>>
  // expected-error @below {{'tpu.matmul': weight: beside integers the scales of an output channel must be whole multiples, up to 16, of one step, those of channel 1 are not}}
  %y = tpu.matmul "y" %x, %w accumulator = "i32" : (tensor<1x3x!quant.uniform<i8:f32, 0.5>>, tensor<3x2x!quant.uniform<i4:f32:{0:2, 1:1}, {{0.5, 0.25}, {1.0, 0.37}}>>) -> tensor<1x2x!quant.uniform<i8:f32, 1.0>>
  return
}

// -----

func.func @f(%x: tensor<1x3x!quant.uniform<i8:f32, 0.5>>) {
  %w = tpu.weight "w" seed = 1 : tensor<3x2x!quant.uniform<i8:f32:{0:2, 1:1}, {{0.5, 0.25}, {1.0, 0.75}}>>
  // expected-error @below {{'tpu.matmul': weight with blocks must be of i4, with blocks along axis 0 for each index of axis 1, got !quant.uniform<i8:f32:{0:2, 1:1}, {{5.000000e-01, 2.500000e-01}, {1.000000e+00, 7.500000e-01}}>}}
  %y = tpu.matmul "y" %x, %w accumulator = "i32" : (tensor<1x3x!quant.uniform<i8:f32, 0.5>>, tensor<3x2x!quant.uniform<i8:f32:{0:2, 1:1}, {{0.5, 0.25}, {1.0, 0.75}}>>) -> tensor<1x2x!quant.uniform<i8:f32, 1.0>>
  return
}

// -----

func.func @f(%x: tensor<1x3x!quant.uniform<i8:f32, 0.5>>) {
  %w = tpu.weight "w" seed = 1 : tensor<3x2x!quant.uniform<i4:f32:{0:2, 1:1}, {{0.5, 0.25}}>>
  // expected-error @below {{'tpu.matmul': weight: a grid of [1, 2] scales does not fit [3, 2]}}
  %y = tpu.matmul "y" %x, %w accumulator = "i32" : (tensor<1x3x!quant.uniform<i8:f32, 0.5>>, tensor<3x2x!quant.uniform<i4:f32:{0:2, 1:1}, {{0.5, 0.25}}>>) -> tensor<1x2x!quant.uniform<i8:f32, 1.0>>
  return
}
