// RUN: smalti-opt %s -p "tpu-hoist-quantization" --split-input-file | filecheck %s
// RUN: smalti-opt %s -p "tpu-hoist-quantization" --split-input-file --mlir-print-debuginfo | filecheck %s --check-prefix LOC

!t = tensor<1x2x4x4x!quant.uniform<i8:f32, 0.05:-128>>
!s = tensor<1x2x2x2x!quant.uniform<i8:f32, 0.05:-128>>

func.func @main(%x: tensor<1x2x4x4xf32>) -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) attributes {smalti.inputs = ["x"], smalti.outputs = ["out", "pooled"]} {
  %e = tpu.unary "e" %x kind = "exp" : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %p = tpu.max_pool "p" %e kernel = [2, 2] strides = [2, 2] : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32> loc("Pool_1")
  %q = tpu.cast "q" %p : (tensor<1x2x2x2xf32>) -> !s loc("Pool_1")
  %y = tpu.cast "y" %q : (!s) -> tensor<1x2x2x2xf32>
  %p2 = tpu.max_pool "p2" %e kernel = [2, 2] strides = [2, 2] : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
  %q2 = tpu.cast "q2" %p2 : (tensor<1x2x2x2xf32>) -> !s
  %a = tpu.avg_pool "a" %e kernel = [2, 2] strides = [2, 2] : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
  %q3 = tpu.cast "q3" %a : (tensor<1x2x2x2xf32>) -> !s
  %z = tpu.add "z" %q2, %q3 : (!s, !s) -> !s
  %f = tpu.cast "f" %z : (!s) -> tensor<1x2x2x2xf32>
  %sum = tpu.add "sum" %p2, %f : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  func.return %y, %sum : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

// CHECK:      %p_input = tpu.cast "p.input" %e : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, {{.*}}:-128>>
// CHECK-NEXT: %p = tpu.max_pool "p" %p_input kernel = [2, 2] strides = [2, 2]
// CHECK-NEXT: %y = tpu.cast "y" %p

// What is read as floats, too, stays; a mean is not that of the quantized numbers.
// CHECK-NEXT: %p2 = tpu.max_pool "p2" %e
// CHECK-NEXT: %q2 = tpu.cast "q2" %p2
// CHECK-NEXT: %a = tpu.avg_pool "a" %e
// CHECK-NEXT: %q3 = tpu.cast "q3" %a

// LOC: tpu.cast "p.input" {{.*}} loc("Pool_1")
// LOC-NEXT: tpu.max_pool "p" {{.*}} loc("Pool_1")

// -----

// What is only rearranged is quantized before, through several ops.
func.func @rearranged(%x: tensor<2x4x3xf32>) -> tensor<1x4x2x3xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %e = tpu.unary "e" %x kind = "exp" : (tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  %r = tpu.reshape "r" %e : (tensor<2x4x3xf32>) -> tensor<1x2x4x3xf32>
  %t = tpu.transpose "t" %r permutation = [0, 2, 1, 3] : (tensor<1x2x4x3xf32>) -> tensor<1x4x2x3xf32>
  %q = tpu.cast "q" %t : (tensor<1x4x2x3xf32>) -> tensor<1x4x2x3x!quant.uniform<i8:f32, 0.05:-128>>
  %y = tpu.cast "y" %q : (tensor<1x4x2x3x!quant.uniform<i8:f32, 0.05:-128>>) -> tensor<1x4x2x3xf32>
  func.return %y : tensor<1x4x2x3xf32>
}

// CHECK-LABEL: @rearranged
// CHECK:      %r_input = tpu.cast "r.input" %e : (tensor<2x4x3xf32>) -> tensor<2x4x3x!quant.uniform<i8:f32, {{.*}}:-128>>
// CHECK-NEXT: %r = tpu.reshape "r" %r_input
// CHECK-NEXT: %t = tpu.transpose "t" %r
// CHECK-NEXT: %y = tpu.cast "y" %t
