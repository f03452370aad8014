// RUN: smalti-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<1x3x!quant.uniform<i8:f32, 0.5>>) {
  %w = tpu.weight "w" seed = 1 : tensor<3x2x!quant.uniform<i4:f32, 0.5:1>>
  // expected-error @below {{'tpu.matmul': weight of i4 must have zero points 0}}
  %y = tpu.matmul "y" %x, %w accumulator = "i32" : (tensor<1x3x!quant.uniform<i8:f32, 0.5>>, tensor<3x2x!quant.uniform<i4:f32, 0.5:1>>) -> tensor<1x2x!quant.uniform<i8:f32, 0.5>>
  return
}

// -----

func.func @f(%x: tensor<1x3xf32>) {
  // expected-error @below {{'tpu.cast': only weights of products are quantized in i4}}
  %y = tpu.cast "y" %x : (tensor<1x3xf32>) -> tensor<1x3x!quant.uniform<i4:f32, 0.5>>
  return
}

// -----

func.func @f(%x: tensor<1x3x!quant.uniform<i8:f32, 0.5>>, %w: tensor<3x2x!quant.uniform<u4:f32, 0.5>>) {
  // expected-error @below {{'tpu.matmul': weight must be stored as one of i8, u8, i16, i4, got !quant.uniform<u4:f32, 5.000000e-01>}}
  %y = tpu.matmul "y" %x, %w accumulator = "i32" : (tensor<1x3x!quant.uniform<i8:f32, 0.5>>, tensor<3x2x!quant.uniform<u4:f32, 0.5>>) -> tensor<1x2x!quant.uniform<i8:f32, 0.5>>
  return
}

// -----

func.func @f(%x: tensor<1x3xf16>, %w: tensor<3x2x!quant.uniform<i16:f32, 0.5>>) {
  // expected-error @below {{'tpu.matmul': weight of a product of floats must be stored as one of i8, i4 if it is quantized, got !quant.uniform<i16:f32, 5.000000e-01>}}
  %y = tpu.matmul "y" %x, %w accumulator = "f32" : (tensor<1x3xf16>, tensor<3x2x!quant.uniform<i16:f32, 0.5>>) -> tensor<1x2xf16>
  return
}
