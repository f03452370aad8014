// RUN: smalti-opt %s --load-plugin=smalti_gates -p "convert-top-to-tpu{quantize=int8}" | filecheck %s

// A leaky clamp computes in the quantization of its input, bounds included; only a softmax reads the second one, which is
// in floats therefore. What row_scale gives has the scale 1/127 and needs no calibrated range.

func.func @main(%x: tensor<1x4x2x8x!quant.calibrated<f32<-2.0:2.5>>>) -> (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>) attributes {smalti.inputs = ["x"], smalti.outputs = ["m", "y"]} {
  %low = top.weight "low" value = dense<-0.5> : tensor<4xf32>
  %high = top.weight "high" value = dense<0.75> : tensor<4xf32>
  %a = gates.leaky_clamp "a" %x, %low, %high shift = 3 : (tensor<1x4x2x8x!quant.calibrated<f32<-2.0:2.5>>>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x2x8x!quant.calibrated<f32<-0.7:0.97>>>
  %s = gates.leaky_clamp "s" %a, %low, %high shift = 1 : (tensor<1x4x2x8x!quant.calibrated<f32<-0.7:0.97>>>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x2x8xf32>
  %m = top.softmax "m" %s axis = 1 : (tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32>
  %b = gates.row_scale "b" %a : (tensor<1x4x2x8x!quant.calibrated<f32<-0.7:0.97>>>) -> tensor<1x4x2x8xf32>
  %y = gates.leaky_clamp "y" %b, %low, %high shift = 2 : (tensor<1x4x2x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x2x8xf32>
  func.return %m, %y : tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>
}

// CHECK:      builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
// CHECK-NEXT:   func.func @main(%x: tensor<1x4x2x8xf32>) -> (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>) attributes {smalti.inputs = ["x"], smalti.outputs = ["m", "y"]} {
// CHECK-NEXT:     %x_i8 = tpu.cast "x_i8" %x : (tensor<1x4x2x8xf32>) -> tensor<1x4x2x8x!quant.uniform<i8:f32, 0.017647059634327888:-15>>
// CHECK-NEXT:     %low_i8 = tpu.weight "low.i8" key = "low.i8" : tensor<4x!quant.uniform<i8:f32, 0.017647059634327888:-15>>
// CHECK-NEXT:     %high_i8 = tpu.weight "high.i8" key = "high.i8" : tensor<4x!quant.uniform<i8:f32, 0.017647059634327888:-15>>
// CHECK-NEXT:     %a = gates.tpu_leaky_clamp "a" %x_i8, %low_i8, %high_i8 shift = 3 : (tensor<1x4x2x8x!quant.uniform<i8:f32, 0.017647059634327888:-15>>, tensor<4x!quant.uniform<i8:f32, 0.017647059634327888:-15>>, tensor<4x!quant.uniform<i8:f32, 0.017647059634327888:-15>>) -> tensor<1x4x2x8x!quant.uniform<i8:f32, 0.017647059634327888:-15>>
// CHECK-NEXT:     %a_f32 = tpu.cast "a_f32" %a : (tensor<1x4x2x8x!quant.uniform<i8:f32, 0.017647059634327888:-15>>) -> tensor<1x4x2x8xf32>
// CHECK-NEXT:     %low = tpu.weight "low" value = dense<-5.000000e-01> : tensor<4xf32> : tensor<4xf32>
// CHECK-NEXT:     %high = tpu.weight "high" value = dense<7.500000e-01> : tensor<4xf32> : tensor<4xf32>
// CHECK-NEXT:     %s = gates.tpu_leaky_clamp "s" %a_f32, %low, %high shift = 1 : (tensor<1x4x2x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x2x8xf32>
// CHECK-NEXT:     %m = tpu.softmax "m" %s axis = 1 : (tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32>
// CHECK-NEXT:     %b = gates.tpu_row_scale "b" %a_f32 : (tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32>
// CHECK-NEXT:     %b_i8 = tpu.cast "b_i8" %b : (tensor<1x4x2x8xf32>) -> tensor<1x4x2x8x!quant.uniform<i8:f32, 0.007874015748031496>>
// CHECK-NEXT:     %low_i8_1 = tpu.weight "low.i8_1" key = "low.i8_1" : tensor<4x!quant.uniform<i8:f32, 0.007874015748031496>>
// CHECK-NEXT:     %high_i8_1 = tpu.weight "high.i8_1" key = "high.i8_1" : tensor<4x!quant.uniform<i8:f32, 0.007874015748031496>>
// CHECK-NEXT:     %y = gates.tpu_leaky_clamp "y" %b_i8, %low_i8_1, %high_i8_1 shift = 2 : (tensor<1x4x2x8x!quant.uniform<i8:f32, 0.007874015748031496>>, tensor<4x!quant.uniform<i8:f32, 0.007874015748031496>>, tensor<4x!quant.uniform<i8:f32, 0.007874015748031496>>) -> tensor<1x4x2x8x!quant.uniform<i8:f32, 0.007874015748031496>>
// CHECK-NEXT:     %y_f32 = tpu.cast "y_f32" %y : (tensor<1x4x2x8x!quant.uniform<i8:f32, 0.007874015748031496>>) -> tensor<1x4x2x8xf32>
// CHECK-NEXT:     func.return %m, %y_f32 : tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>
// CHECK-NEXT:   }
// CHECK-NEXT: }
