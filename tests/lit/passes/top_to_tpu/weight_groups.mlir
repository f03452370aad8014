// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=w4a8-g32}" --weights-out %t.safetensors | filecheck %s --check-prefix INTEGERS
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=w4f16-g64}" --weights-out %t.safetensors | filecheck %s --check-prefix FLOATS

// 40 input channels are two groups of 32, and one of 64: then each output channel has one scale.
func.func @main(%x: tensor<2x40x!quant.calibrated<f32<-1.0:3.0>>>) -> tensor<2x2x!quant.calibrated<f32<-6.0:6.0>>> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %w = top.weight "w" seed = 1 : tensor<40x2xf32>
  %y = top.matmul "y" %x, %w : (tensor<2x40x!quant.calibrated<f32<-1.0:3.0>>>, tensor<40x2xf32>) -> tensor<2x2x!quant.calibrated<f32<-6.0:6.0>>>
  func.return %y : tensor<2x2x!quant.calibrated<f32<-6.0:6.0>>>
}

// INTEGERS: !quant.uniform<i4:f32:{0:32, 1:1}, {{[{][{]}}
// INTEGERS: tpu.matmul "y" %x_i8, %w_i4 accumulator = "i32"

// FLOATS: !quant.uniform<i4:f32:1, {
// FLOATS: tpu.matmul "y" %x_f16, %w_i4 accumulator = "f32"
