// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c}" --weights-out %t.safetensors | filecheck %s
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f32}" --weights-out %t.f32.safetensors | filecheck %s --check-prefix F32

!x = tensor<1x2x4x4x!quant.calibrated<f32<-1.28:1.27>>>
!r = tensor<1x2x4x4x!quant.calibrated<f32<0.0:1.0>>>
!c = tensor<1x5x4x4x!quant.calibrated<f32<-2.56:2.54>>>
!s = tensor<1x5x2x2x!quant.calibrated<f32<-2.56:2.54>>>
!p = tensor<1x5x4x2x!quant.calibrated<f32<-2.56:10.0>>>

func.func @main(%x: !x) -> !p attributes {smalti.inputs = ["x"]} {
  %r = top.relu "r" %x : (!x) -> !r
  %k = top.weight "k" seed = 1 : tensor<1x1x4x4xf32>
  %c = top.concat "c" %x, %r, %k axis = 1 : (!x, !r, tensor<1x1x4x4xf32>) -> !c
  %s = top.slice "s" %c starts = [0, 4, 1, 0] sizes = [1, 5, 2, 2] steps = [1, -1, 1, 2] : (!c) -> !s
  %p = top.pad "p" %s low = [0, 0, 1, 0] high = [0, 0, 1, 0] value = 10.0 : (!s) -> !p
  %y = top.relu "y" %p : (!p) -> !p
  func.return %y : !p
}

// The relu takes the concat's quantization (scale 0.02), the input and the constant are brought to it.
// CHECK:      %x_i8 = tpu.cast "x_i8"
// CHECK:      %r = tpu.clamp "r" %r_rescaled clamp_low = 0.0 : {{.*}} -> tensor<1x2x4x4x!quant.uniform<i8:f32, [[C:0.0199[0-9]+]]>>
// CHECK-NEXT: %c_rescaled = tpu.requantize "c_rescaled" %x_i8
// CHECK-NEXT: %k_i8 = tpu.weight "k.i8" key = "k.i8" : tensor<1x1x4x4x!quant.uniform<i8:f32, [[C]]>>
// CHECK-NEXT: %c = tpu.concat "c" %c_rescaled, %r, %k_i8 axis = 1 : {{.*}} -> tensor<1x5x4x4x!quant.uniform<i8:f32, [[C]]>>

// What runs backwards is a gather. The padding needs a wider range.
// CHECK-NEXT: %s_part = tpu.slice "s_part" %c starts = [0, 0, 1, 0] sizes = [1, 5, 2, 2] steps = [1, 1, 1, 2]
// CHECK-NEXT: %s_index = tpu.weight "s.index" key = "s.index" : tensor<5x1xi32>
// CHECK-NEXT: %s = tpu.resample "s" %s_part, %s_index axis = 1
// CHECK-NEXT: %p_rescaled = tpu.requantize "p_rescaled" %s
// CHECK-NEXT: %p = tpu.pad "p" %p_rescaled low = [0, 0, 1, 0] high = [0, 0, 1, 0] value = 10.0

// F32-NOT:  quant
// F32:      %c = tpu.concat "c" %x, %r, %k axis = 1 : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x5x4x4xf32>
// F32:      %p = tpu.pad "p" %s low = [0, 0, 1, 0] high = [0, 0, 1, 0] value = 10.0
