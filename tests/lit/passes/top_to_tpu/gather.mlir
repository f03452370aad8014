// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c}" --weights-out %t.safetensors | filecheck %s
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f16}" --weights-out %t.f16.safetensors | filecheck %s --check-prefix F16

!y = tensor<3x4x!quant.calibrated<f32<-1.28:1.27>>>
!z = tensor<3x6x!quant.calibrated<f32<-1.28:1.27>>>

// A gather of rows is a transfer: of 8 bits if its readers compute in them (y), else of floats (k, which is returned).
// One along an inner axis is the host's (h).
func.func @main(%i: tensor<3xi64>) -> (!z, !y, tensor<8x3xf32>) attributes {smalti.inputs = ["i"]} {
  %t = top.weight "t" seed = 1 : tensor<8x4xf32>
  %w = top.weight "w" seed = 2 : tensor<4x6xf32>
  %y = top.call "y" %t, %i function = "gather" : (tensor<8x4xf32>, tensor<3xi64>) -> !y
  %z = top.matmul "z" %y, %w : (!y, tensor<4x6xf32>) -> !z
  %k = top.call "k" %t, %i function = "gather" : (tensor<8x4xf32>, tensor<3xi64>) -> !y
  %h = top.call "h" %t, %i function = "gather" attributes = {axis = 1} : (tensor<8x4xf32>, tensor<3xi64>) -> tensor<8x3xf32>
  func.return %z, %k, %h : !z, !y, tensor<8x3xf32>
}

// CHECK:      %t_i8 = tpu.weight "t.i8" key = "t.i8" : tensor<8x4x[[Q:!quant.uniform<i8:f32, 0.00[0-9]+:15>]]>
// CHECK-NEXT: %y = tpu.gather "y" %t_i8, %i axis = 0 : (tensor<8x4x[[Q]]>, tensor<3xi64>) -> tensor<3x4x[[Q]]>
// CHECK:      %z = tpu.matmul "z" %y, %w_i8 accumulator = "i32"
// CHECK-NEXT: %t = tpu.weight "t" seed = 1 : tensor<8x4xf32>
// CHECK-NEXT: %k = tpu.gather "k" %t, %i axis = 0 : (tensor<8x4xf32>, tensor<3xi64>) -> tensor<3x4xf32>
// CHECK-NEXT: %h = tpu.host_call "h" %t, %i function = "gather" attributes = {axis = 1} : (tensor<8x4xf32>, tensor<3xi64>) -> tensor<8x3xf32>

// F16:      %t_f16 = tpu.weight "t.f16" key = "t.f16" : tensor<8x4xf16>
// F16-NEXT: %y = tpu.gather "y" %t_f16, %i axis = 0 : (tensor<8x4xf16>, tensor<3xi64>) -> tensor<3x4xf16>
// F16:      %k = tpu.gather "k" %t_f16, %i axis = 0 : (tensor<8x4xf16>, tensor<3xi64>) -> tensor<3x4xf16>
// F16-NEXT: %h = tpu.host_call "h" %t_f16
