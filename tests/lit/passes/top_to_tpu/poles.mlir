// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c}" --weights-out %t.safetensors 2>%t.err | filecheck %s
// RUN: cat %t.err | filecheck %s --check-prefix TOLD
!x = tensor<1x4x!quant.calibrated<f32<-1.0:1.0>>>
!p = tensor<1x4x!quant.calibrated<f32<0.001:2.0>>>
!y = tensor<1x4x!quant.calibrated<f32<-6.9:0.7>>>
!q = tensor<1x4x!quant.calibrated<f32<-900.0:800.0>>>

// The sum is made in floats for the logarithm, which is kept to the numbers that the calibration saw; a sum of floats may
// come a little nearer to 0. The product gets a cast.
func.func @main(%x: !x, %k: !x) -> (!y, !x) attributes {smalti.inputs = ["x", "k"]} {
  %w = top.weight "w" seed = 1 : tensor<4x4xf32>
  %a = top.matmul "a" %x, %w : (!x, tensor<4x4xf32>) -> !x
  %s = top.add "s" %a, %k : (!x, !x) -> !p
  %y = top.unary "y" %s kind = "log" : (!p) -> !y
  %z = top.matmul "z" %s, %w : (!p, tensor<4x4xf32>) -> !x
  func.return %y, %z : !y, !x
}

// CHECK-LABEL: func.func @main
// CHECK:      %s = tpu.add "s" %a_f32, %k : {{.*}} -> tensor<1x4xf32>
// CHECK-NEXT: %s_bounded = tpu.clamp "s_bounded" %s clamp_low = 6.250000e-05 : (tensor<1x4xf32>)
// CHECK-NEXT: %y = tpu.unary "y" %s_bounded kind = "log" clamp_low = -6.9{{.*}} clamp_high = 0.7
// CHECK:      %s_i8 = tpu.cast "s_i8" %s
// CHECK:      %z = tpu.matmul "z" %s_i8

// What floats alone have made is left as it is.
func.func @exact(%x: !p) -> !y attributes {smalti.inputs = ["x"]} {
  %c = top.clip "c" %x low = 0.001 : (!p) -> !p
  %y = top.unary "y" %c kind = "log" : (!p) -> !y
  func.return %y : !y
}

// CHECK-LABEL: func.func @exact
// CHECK-NEXT: %c = tpu.clamp "c" %x clamp_low = 0.001 : (tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT: %y = tpu.unary "y" %c kind = "log" : (tensor<1x4xf32>) -> tensor<1x4xf32>

// A pole within the range: 0 becomes the least number, the quotient keeps to its range, and that is told.
func.func @inside(%x: !x) -> !q attributes {smalti.inputs = ["x"]} {
  %w = top.weight "w2" seed = 2 : tensor<4x4xf32>
  %a = top.matmul "a2" %x, %w : (!x, tensor<4x4xf32>) -> !x
  %y = top.div "y2" %x, %a : (!x, !x) -> !q
  func.return %y : !q
}

// CHECK-LABEL: func.func @inside
// CHECK:      %a2_bounded = tpu.add "a2_bounded" %a2_f32, %a2_bounded_nudge
// CHECK-NEXT: %y2 = tpu.div "y2" %x, %a2_bounded clamp_low = -900.0{{.*}} clamp_high = 800.0
// TOLD: warning: 'y2' has a pole at 0, within the range of 'a2', -1 to 1

// Without a range there is nothing to keep to.
func.func @unknown(%x: !x) -> tensor<1x4xf32> attributes {smalti.inputs = ["x"]} {
  %w = top.weight "w3" seed = 3 : tensor<4x4xf32>
  %a = top.matmul "a3" %x, %w : (!x, tensor<4x4xf32>) -> !x
  %r = top.unary "r3" %a kind = "exp" : (!x) -> tensor<1x4xf32>
  %y = top.unary "y3" %r kind = "reciprocal" : (tensor<1x4xf32>) -> tensor<1x4xf32>
  func.return %y : tensor<1x4xf32>
}

// TOLD: warning: 'y3' may become infinite or NaN in int8: 'r3', 'y3' has no calibrated range
