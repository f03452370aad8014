// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c}" --weights-out %t.safetensors | filecheck %s

// A mask that puts -10000 among scores of -1 to 1: in 8 bits all scores would be one step. The sum and the choice are
// in floats; where the mask is no wider than the scores (%near), 8 bits do for a reader of 8 bits.
!s = tensor<1x4x!quant.calibrated<f32<-1.0:1.0>>>
!m = tensor<1x4x!quant.calibrated<f32<-10000.0:1.0>>>
!n = tensor<1x4x!quant.calibrated<f32<-3.0:1.0>>>

func.func @main(%s: !s, %k: !s) -> (!m, !m, !n) attributes {smalti.inputs = ["s", "k"]} {
  %c = top.compare "c" %s, %k kind = "less" : (!s, !s) -> tensor<1x4xi1>
  %low = top.weight "low" value = dense<-10000.0> : tensor<1xf32> : tensor<1xf32>
  %far = top.select "far" %c, %s, %low : (tensor<1x4xi1>, !s, tensor<1xf32>) -> !m
  %mask = top.weight "mask" value = dense<[[-10000.0, 0.0, 0.0, 0.0]]> : tensor<1x4xf32> : tensor<1x4xf32>
  %sum = top.add "sum" %s, %mask : (!s, tensor<1x4xf32>) -> !m
  %less = top.weight "less" value = dense<-3.0> : tensor<1xf32> : tensor<1xf32>
  %near = top.select "near" %c, %s, %less : (tensor<1x4xi1>, !s, tensor<1xf32>) -> !n
  %twice = top.add "twice" %near, %near : (!n, !n) -> !n
  func.return %far, %sum, %twice : !m, !m, !n
}

// CHECK: %far = tpu.select "far" %c, %s, %low : (tensor<1x4xi1>, tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
// CHECK: %sum = tpu.add "sum" %s, %mask : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK: %near = tpu.select "near" {{.*}} -> !t{{[0-9]+}}

// What only softmaxes read is in floats whatever the ranges: the scores' own 8 bits are the last.
func.func @scores(%a: !s, %b: !s) -> (tensor<1x4xf32>, !n) attributes {smalti.inputs = ["a", "b"]} {
  %half = top.weight "half" value = dense<0.5> : tensor<f32> : tensor<f32>
  %scaled = top.mul "scaled" %a, %half : (!s, tensor<f32>) -> !s
  %both = top.add "both" %scaled, %b : (!s, !s) -> !n
  %row = top.reshape "row" %both : (!n) -> tensor<4x!quant.calibrated<f32<-3.0:1.0>>>
  %hidden = top.weight "hidden" value = dense<[0.0, 0.0, 0xFF800000, 0.0]> : tensor<4xf32> : tensor<4xf32>
  %masked = top.add "masked" %row, %hidden : (tensor<4x!quant.calibrated<f32<-3.0:1.0>>>, tensor<4xf32>) -> tensor<4xf32>
  %shares = top.softmax "shares" %masked axis = 0 : (tensor<4xf32>) -> tensor<4xf32>
  %shares2 = top.reshape "shares2" %shares : (tensor<4xf32>) -> tensor<1x4xf32>
  %kept = top.add "kept" %a, %b : (!s, !s) -> !n
  func.return %shares2, %kept : tensor<1x4xf32>, !n
}

// CHECK-LABEL: func.func @scores
// CHECK: %scaled = tpu.mul "scaled" %a, %half : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
// CHECK: %both = tpu.add "both" %scaled, %b : {{.*}} -> tensor<1x4xf32>
// CHECK: %masked = tpu.add "masked" %row, %hidden : {{.*}} -> tensor<4xf32>
// CHECK: %kept = tpu.add "kept" {{.*}} -> !t{{[0-9]+}}

// Neither does a comparison see a value in two precisions: the input stays as it is given.
func.func @greatest(%a: !s) -> tensor<1x4xi1> attributes {smalti.inputs = ["a"]} {
  %m = top.reduce "m" %a kind = "max" axes = [1] keepdims : (!s) -> tensor<1x1x!quant.calibrated<f32<-1.0:1.0>>>
  %is = top.compare "is" %a, %m kind = "equal" : (!s, tensor<1x1x!quant.calibrated<f32<-1.0:1.0>>>) -> tensor<1x4xi1>
  func.return %is : tensor<1x4xi1>
}

// CHECK-LABEL: func.func @greatest
// CHECK-NEXT: %m = tpu.reduce "m" %a kind = "max" axes = [1] keepdims : (tensor<1x4xf32>) -> tensor<1x1xf32>
// CHECK-NEXT: %is = tpu.compare "is" %a, %m kind = "equal"
