// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

// Weights of 4 bits with a scale for each two input channels: beside i8 multiples of a step of each output channel.

func.func @f(%x: tensor<1x3x!quant.uniform<i8:f32, 0.5:3>>, %h: tensor<1x3xf16>) -> tensor<1x2x!quant.uniform<i8:f32, 1.0>> {
  %w = tpu.weight "w" seed = 1 : tensor<3x2x!quant.uniform<i4:f32:{0:2, 1:1}, {{0.5, 0.25}, {1.0, 0.75}}>>
  %y = tpu.matmul "y" %x, %w accumulator = "i32" : (tensor<1x3x!quant.uniform<i8:f32, 0.5:3>>, tensor<3x2x!quant.uniform<i4:f32:{0:2, 1:1}, {{0.5, 0.25}, {1.0, 0.75}}>>) -> tensor<1x2x!quant.uniform<i8:f32, 1.0>>
  %v = tpu.weight "v" seed = 1 : tensor<3x2x!quant.uniform<i4:f32:{0:2, 1:1}, {{0.1, 0.23}, {0.7, 0.31}}>>
  %z = tpu.matmul "z" %h, %v accumulator = "f32" : (tensor<1x3xf16>, tensor<3x2x!quant.uniform<i4:f32:{0:2, 1:1}, {{0.1, 0.23}, {0.7, 0.31}}>>) -> tensor<1x2xf16>
  return %y : tensor<1x2x!quant.uniform<i8:f32, 1.0>>
}

// CHECK:      tpu.matmul "y" %x, %w accumulator = "i32" : (tensor<1x3x!quant.uniform<i8:f32, 5.000000e-01:3>>, tensor<3x2x!quant.uniform<i4:f32:{0:2, 1:1},
// CHECK:      tpu.matmul "z" %h, %v accumulator = "f32" : (tensor<1x3xf16>, tensor<3x2x!quant.uniform<i4:f32:{0:2, 1:1},
