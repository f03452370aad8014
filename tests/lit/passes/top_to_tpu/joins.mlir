// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c}" --weights-out %t.safetensors 2>%t.err | filecheck %s
// RUN: cat %t.err | filecheck %s --check-prefix TOLD
!x = tensor<1x4x2x2x!quant.calibrated<f32<-1.0:1.0>>>
!b = tensor<1x4x2x2x!quant.calibrated<f32<-640.0:640.0>>>
!c = tensor<1x8x2x2x!quant.calibrated<f32<-640.0:640.0>>>
!r = tensor<1x8x4x!quant.calibrated<f32<-640.0:640.0>>>
!p = tensor<1x4x4x!quant.calibrated<f32<-640.0:640.0>>>
!s = tensor<1x4x4x!quant.calibrated<f32<-1.0:1.0>>>

// On the way to the output, each part keeps its own scale.
func.func @output(%x: !x) -> !r attributes {smalti.inputs = ["x"]} {
  %wb = top.weight "wb" seed = 1 : tensor<4x4x1x1xf32>
  %ws = top.weight "ws" seed = 2 : tensor<4x4x1x1xf32>
  %b = top.conv2d "b" %x, %wb : (!x, tensor<4x4x1x1xf32>) -> !b
  %s = top.conv2d "s" %x, %ws : (!x, tensor<4x4x1x1xf32>) -> !x
  %c = top.concat "c" %b, %s axis = 1 : (!b, !x) -> !c
  %r = top.reshape "r" %c : (!c) -> !r
  func.return %r : !r
}

// CHECK-LABEL: func.func @output
// CHECK: %c = tpu.concat "c" %b_f32, %s_f32 axis = 1 : {{.*}} -> tensor<1x8x2x2xf32>
// CHECK-NEXT: %r = tpu.reshape "r" %c : (tensor<1x8x2x2xf32>) -> tensor<1x8x4xf32>

// A slice takes its own scale from floats, even if ops of 8 bits read it.
func.func @slices(%x: !x) -> (!p, !s) attributes {smalti.inputs = ["x"]} {
  %wb = top.weight "wb2" seed = 1 : tensor<4x4x1x1xf32>
  %ws = top.weight "ws2" seed = 2 : tensor<4x4x1x1xf32>
  %b = top.conv2d "b2" %x, %wb : (!x, tensor<4x4x1x1xf32>) -> !b
  %s = top.conv2d "s2" %x, %ws : (!x, tensor<4x4x1x1xf32>) -> !x
  %c = top.concat "c2" %b, %s axis = 1 : (!b, !x) -> !c
  %r = top.reshape "r2" %c : (!c) -> !r
  %p = top.slice "p2" %r starts = [0, 0, 0] sizes = [1, 4, 4] steps = [1, 1, 1] : (!r) -> !p
  %q = top.slice "q2" %r starts = [0, 4, 0] sizes = [1, 4, 4] steps = [1, 1, 1] : (!r) -> !s
  %y = top.add "y2" %q, %q : (!s, !s) -> !s
  func.return %p, %y : !p, !s
}

// CHECK-LABEL: func.func @slices
// CHECK: %c2 = tpu.concat "c2" {{.*}} -> tensor<1x8x2x2xf32>
// CHECK: %q2_i8 = tpu.cast "q2_i8" %q2 : {{.*}} -> tensor<1x4x4x!quant.uniform<i8:f32, 0.0078

// A product that reads both gets them in one scale. The small part is stored 512 times as large; the weights balance it.
func.func @balanced(%x: !x) -> !x attributes {smalti.inputs = ["x"]} {
  %wb = top.weight "wb3" seed = 1 : tensor<4x4x1x1xf32>
  %ws = top.weight "ws3" seed = 2 : tensor<4x4x1x1xf32>
  %wc = top.weight "wc3" seed = 3 : tensor<4x8x1x1xf32>
  %b = top.conv2d "b3" %x, %wb : (!x, tensor<4x4x1x1xf32>) -> !b
  %s = top.conv2d "s3" %x, %ws : (!x, tensor<4x4x1x1xf32>) -> !x
  %c = top.concat "c3" %b, %s axis = 1 : (!b, !x) -> !c
  %y = top.conv2d "y3" %c, %wc : (!c, tensor<4x8x1x1xf32>) -> !x
  func.return %y : !x
}

// CHECK-LABEL: func.func @balanced
// CHECK: %s3_scaled = tpu.conv2d "s3_scaled"
// CHECK: %c3_scaled = tpu.concat "c3_scaled" %b3, %s3_scaled axis = 1 : {{.*}} -> tensor<1x8x2x2x!quant.uniform<i8:f32, 5.0
// CHECK: %y3 = tpu.conv2d "y3" %c3_scaled
// TOLD: remark: 'c3' joins tensors of very different size in one int8 scale; the weights that read it balance them
// TOLD: 's3' is stored 512 times as large

// What a function makes has no weights to be made larger by, and that is told.
func.func @forced(%x: !x) -> !x attributes {smalti.inputs = ["x"]} {
  %wb = top.weight "wb4" seed = 1 : tensor<4x4x1x1xf32>
  %wc = top.weight "wc4" seed = 3 : tensor<4x8x1x1xf32>
  %b = top.conv2d "b4" %x, %wb : (!x, tensor<4x4x1x1xf32>) -> !b
  %s = top.unary "s4" %x kind = "tanh" : (!x) -> !x
  %c = top.concat "c4" %b, %s axis = 1 : (!b, !x) -> !c
  %y = top.conv2d "y4" %c, %wc : (!c, tensor<4x8x1x1xf32>) -> !x
  func.return %y : !x
}

// CHECK-LABEL: func.func @forced
// CHECK: %c4 = tpu.concat "c4" {{.*}} -> tensor<1x8x2x2x!quant.uniform<i8:f32, 5.0
// TOLD: warning: 'c4' joins tensors of very different size in one int8 scale
// TOLD: the range of 's4' is 1/640 of the whole: 0.4 of 256 steps
