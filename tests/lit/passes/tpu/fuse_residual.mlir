// RUN: smalti-opt %s -p "tpu-fuse-residual" --split-input-file | filecheck %s
// RUN: smalti-opt %s -p "tpu-fuse-residual,tpu-fuse-activation" --mlir-print-debuginfo --split-input-file | filecheck %s --check-prefix BOTH

!t = tensor<1x2x4x4x!quant.uniform<i8:f32, 0.05:-128>>
!w = tensor<2x2x1x1x!quant.uniform<i8<-127:127>:f32:0, {0.01,0.02}>>

func.func @main(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %q = tpu.cast "q" %x : (tensor<1x2x4x4xf32>) -> !t
  %w = tpu.weight "w" seed = 1 : !w
  %c = tpu.conv2d "c" %q, %w accumulator = "i32" : (!t, !w) -> !t loc("Conv_0")
  // The shortcut is made after the convolution, so the fused op stands where the addition stood.
  %p = tpu.max_pool "p" %q kernel = [1, 1] : (!t) -> !t loc("Pool_1")
  %a = tpu.add "a" %p, %c : (!t, !t) -> !t loc("Add_2")
  %r = tpu.clamp "r" %a clamp_low = 0.0 : (!t) -> !t loc("Relu_3")
  %y = tpu.cast "y" %r : (!t) -> tensor<1x2x4x4xf32>
  func.return %y : tensor<1x2x4x4xf32>
}

// CHECK:         %p = tpu.max_pool "p" %q
// CHECK-NEXT:    %a = tpu.conv2d "a" %q, %w residual %p accumulator = "i32" :
// CHECK-NEXT:    %r = tpu.clamp "r" %a clamp_low = 0.0

// BOTH: %r = tpu.conv2d "r" %q, %w residual %p accumulator = "i32" clamp_low = 0.0 {{.*}} loc(fused["Conv_0", "Add_2", "Relu_3"])

// -----

// The model itself rounds what it adds.

!t = tensor<1x2x4x4x!quant.uniform<i8:f32, 0.05:-128>>
!w = tensor<2x2x1x1x!quant.uniform<i8<-127:127>:f32:0, {0.01,0.02}>>

func.func @main(%q: !t) -> !t attributes {smalti.inputs = ["q"], smalti.outputs = ["a"]} {
  %w = tpu.weight "w" seed = 1 : !w
  %c = tpu.conv2d "c" %q, %w accumulator = "i32" : (!t, !w) -> !t
  %a = tpu.add "a" %q, %c separate : (!t, !t) -> !t
  func.return %a : !t
}

// CHECK:      %c = tpu.conv2d "c" %q, %w accumulator = "i32" :
// CHECK-NEXT: %a = tpu.add "a" %q, %c separate :
