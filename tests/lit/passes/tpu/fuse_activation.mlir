// RUN: smalti-opt %s -p "tpu-fuse-activation" | filecheck %s
// RUN: smalti-opt %s -p "tpu-fuse-activation" --mlir-print-debuginfo | filecheck %s --check-prefix LOC

!t = tensor<1x2x4x4x!quant.uniform<i8:f32, 0.05:-128>>
!w = tensor<2x2x1x1x!quant.uniform<i8<-127:127>:f32:0, {0.01,0.02}>>

func.func @main(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %q = tpu.cast "q" %x : (tensor<1x2x4x4xf32>) -> !t
  %w = tpu.weight "w" seed = 1 : !w
  %c = tpu.conv2d "c" %q, %w accumulator = "i32" : (!t, !w) -> !t loc("Conv_0")
  %r = tpu.clamp "r" %c clamp_low = 0.0 : (!t) -> !t loc("Relu_1")
  %s = tpu.clamp "s" %r clamp_high = 6.0 : (!t) -> !t loc("Clip_2")
  %a = tpu.add "a" %s, %s : (!t, !t) -> !t loc("Add_3")
  %b = tpu.clamp "b" %a clamp_low = 1.0 : (!t) -> !t loc("Clip_4")
  %m = tpu.mul "m" %b, %a : (!t, !t) -> !t loc("Mul_5")
  %y = tpu.cast "y" %m : (!t) -> tensor<1x2x4x4xf32>
  func.return %y : tensor<1x2x4x4xf32>
}

// CHECK:         %s = tpu.conv2d "s" %q, %w accumulator = "i32" clamp_low = 0.0 clamp_high = 6.0
// %a has another user, which wants it as it was.
// CHECK-NEXT:    %a = tpu.add "a" %s, %s :
// CHECK-NEXT:    %b = tpu.clamp "b" %a clamp_low = 1.0
// CHECK-NEXT:    %m = tpu.mul "m" %b, %a :

// LOC: tpu.conv2d "s" {{.*}} loc(fused["Conv_0", "Relu_1", "Clip_2"])
