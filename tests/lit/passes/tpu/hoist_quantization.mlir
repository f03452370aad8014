// RUN: smalti-opt %s -p "tpu-hoist-quantization" | filecheck %s
// RUN: smalti-opt %s -p "tpu-hoist-quantization" --mlir-print-debuginfo | filecheck %s --check-prefix LOC

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
