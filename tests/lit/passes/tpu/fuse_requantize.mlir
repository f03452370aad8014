// RUN: smalti-opt %s -p tpu-fuse-requantize | filecheck %s

// A product whose only reader wants fewer bits gives them itself; one that others read too, one that becomes no narrower
// and one whose residual would have to be narrowed, too, stay.

!a = !quant.uniform<i8:f32, 0.125>
!n = !quant.uniform<i8<-8:7>:f32, 2.0:-8>
!w = !quant.uniform<i4:f32, 0.5>
func.func @main(%x: tensor<1x3x!a>, %w: tensor<3x3x!w>) -> (tensor<1x3x!n>, tensor<1x3x!a>, tensor<1x3x!n>, tensor<1x3x!a>, tensor<1x3x!n>) {
  %p = tpu.matmul "p" %x, %w accumulator = "i32" clamp_low = 0.0 : (tensor<1x3x!a>, tensor<3x3x!w>) -> tensor<1x3x!a>
  %y = tpu.requantize "y" %p multiplier = 1073741824 shift = 34 : (tensor<1x3x!a>) -> tensor<1x3x!n>
  %q = tpu.matmul "q" %x, %w accumulator = "i32" : (tensor<1x3x!a>, tensor<3x3x!w>) -> tensor<1x3x!a>
  %z = tpu.requantize "z" %q multiplier = 1073741824 shift = 34 : (tensor<1x3x!a>) -> tensor<1x3x!n>
  %r = tpu.matmul "r" %x, %w accumulator = "i32" : (tensor<1x3x!a>, tensor<3x3x!w>) -> tensor<1x3x!n>
  %v = tpu.requantize "v" %r multiplier = 1073741824 shift = 26 : (tensor<1x3x!n>) -> tensor<1x3x!a>
  %s = tpu.matmul "s" %x, %w residual %q accumulator = "i32" : (tensor<1x3x!a>, tensor<3x3x!w>, tensor<1x3x!a>) -> tensor<1x3x!a>
  %u = tpu.requantize "u" %s multiplier = 1073741824 shift = 34 : (tensor<1x3x!a>) -> tensor<1x3x!n>
  func.return %y, %q, %z, %v, %u : tensor<1x3x!n>, tensor<1x3x!a>, tensor<1x3x!n>, tensor<1x3x!a>, tensor<1x3x!n>
}

// CHECK:      %p = tpu.matmul "p" %x, %w accumulator = "i32" clamp_low = 0.0 : {{.*}} -> tensor<1x3x!quant.uniform<i8<-8:7>:f32, 2.000000e+00:-8>>
// CHECK-NEXT: %q = tpu.matmul "q"
// CHECK-NEXT: %z = tpu.requantize "z" %q
// CHECK-NEXT: %r = tpu.matmul "r"
// CHECK-NEXT: %v = tpu.requantize "v" %r
// CHECK-NEXT: %s = tpu.matmul "s"
// CHECK-NEXT: %u = tpu.requantize "u" %s
