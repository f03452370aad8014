// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

// Weights of 4 bits, with a scale for each output channel, and activations of 8.

func.func @main(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 0.5>>, %a: tensor<1x3x!quant.uniform<i8:f32, 0.5:1>>) -> (tensor<1x2x8x8x!quant.uniform<i8:f32, 1.0>>, tensor<1x2x!quant.uniform<i8:f32, 1.0>>) {
  %w = tpu.weight "w" seed = 1 : tensor<2x4x3x3x!quant.uniform<i4:f32:0, {0.5,0.25}>>
  %y = tpu.conv2d "y" %x, %w pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 0.5>>, tensor<2x4x3x3x!quant.uniform<i4:f32:0, {0.5,0.25}>>) -> tensor<1x2x8x8x!quant.uniform<i8:f32, 1.0>>
  %m = tpu.weight "m" seed = 2 : tensor<3x2x!quant.uniform<i4<-7:7>:f32, 0.5>>
  %z = tpu.matmul "z" %a, %m accumulator = "i32" : (tensor<1x3x!quant.uniform<i8:f32, 0.5:1>>, tensor<3x2x!quant.uniform<i4<-7:7>:f32, 0.5>>) -> tensor<1x2x!quant.uniform<i8:f32, 1.0>>
  %h = tpu.cast "h" %a : (tensor<1x3x!quant.uniform<i8:f32, 0.5:1>>) -> tensor<1x3xf16>
  %f = tpu.matmul "f" %h, %m accumulator = "f32" : (tensor<1x3xf16>, tensor<3x2x!quant.uniform<i4<-7:7>:f32, 0.5>>) -> tensor<1x2xf16>
  func.return %y, %z : tensor<1x2x8x8x!quant.uniform<i8:f32, 1.0>>, tensor<1x2x!quant.uniform<i8:f32, 1.0>>
}

// CHECK:      %w = tpu.weight "w" seed = 1 : tensor<2x4x3x3x!quant.uniform<i4:f32:0, {5.000000e-01,2.500000e-01}>>
// CHECK-NEXT: %y = tpu.conv2d "y" %x, %w pads = [1, 1, 1, 1] accumulator = "i32" :
// CHECK-NEXT: %m = tpu.weight "m" seed = 2 : tensor<3x2x!quant.uniform<i4<-7:7>:f32, 5.000000e-01>>
// CHECK-NEXT: %z = tpu.matmul "z" %a, %m accumulator = "i32" :
// CHECK:      %f = tpu.matmul "f" %h, %m accumulator = "f32" : (tensor<1x3xf16>, tensor<3x2x!quant.uniform<i4<-7:7>:f32, 5.000000e-01>>) -> tensor<1x2xf16>
