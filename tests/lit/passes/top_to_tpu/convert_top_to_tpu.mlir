// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c}" --weights-out %t.safetensors | filecheck %s
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f32}" --weights-out %t.f32.safetensors | filecheck %s --check-prefix F32
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=bf16}" --weights-out %t.bf16.safetensors | filecheck %s --check-prefix BF16

!image = tensor<1x1x4x4x!quant.calibrated<f32<0.0:2.55>>>
!act = tensor<1x2x4x4x!quant.calibrated<f32<0.0:5.1>>>
!pre = tensor<1x2x4x4x!quant.calibrated<f32<-5.1:5.1>>>
!wide = tensor<1x2x4x8x!quant.calibrated<f32<0.0:5.1>>>

func.func @main(%image: !image) -> !wide attributes {smalti.inputs = ["image"], smalti.outputs = ["out"]} {
  %w = top.weight "w" value = dense<[[[[1.27]]], [[[-2.54]]]]> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  %b = top.weight "b" value = dense<[1.0, 0.0]> : tensor<2xf32> : tensor<2xf32>
  %c = top.conv2d "c" %image, %w, %b : (!image, tensor<2x1x1x1xf32>, tensor<2xf32>) -> !pre
  %r = top.relu "r" %c : (!pre) -> !act
  %p = top.max_pool "p" %r kernel = [1, 1] : (!act) -> !act
  %s = top.softmax "s" %p axis = 1 : (!act) -> !act
  %y = top.resize "y" %s mode = "nearest" scales = [1.0, 1.0, 1.0, 2.0] : (!act) -> !wide
  func.return %y : !wide
}

// The convolution takes the relu's quantization (scale 0.02, zero point -128), and so does the pool.
// CHECK:       builtin.module attributes {smalti.target = "edge-1c", smalti.target_hash = "sha256:{{[0-9a-f]+}}"
// CHECK-NEXT:  func.func @main(%image: tensor<1x1x4x4xf32>) -> tensor<1x2x4x8xf32>
// CHECK-NEXT:    %image_i8 = tpu.cast "image_i8" %image : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4x!quant.uniform<i8:f32, [[X:0.0[019].*]]:-128>>
// CHECK-NEXT:    %w_i8 = tpu.weight "w.i8" key = "w.i8" : tensor<2x1x1x1x!quant.uniform<i8<-127:127>:f32:0, {{.*}}>>
// CHECK-NEXT:    %b_i32 = tpu.weight "b.i32" key = "b.i32" : tensor<2xi32>
// CHECK-NEXT:    %c = tpu.conv2d "c" %image_i8, %w_i8, %b_i32 accumulator = "i32" : {{.*}} -> tensor<1x2x4x4x!quant.uniform<i8:f32, [[Y:0.0[0-9]+]]:-128>>
// CHECK-NEXT:    %r = tpu.clamp "r" %c clamp_low = 0.0 : {{.*}} -> tensor<1x2x4x4x!quant.uniform<i8:f32, [[Y]]:-128>>
// CHECK-NEXT:    %p = tpu.max_pool "p" %r kernel = [1, 1] : {{.*}} -> tensor<1x2x4x4x!quant.uniform<i8:f32, [[Y]]:-128>>
// CHECK-NEXT:    %p_f32 = tpu.cast "p_f32" %p : {{.*}} -> tensor<1x2x4x4xf32>
// CHECK-NEXT:    %s = tpu.softmax "s" %p_f32 axis = 1
// CHECK-NEXT:    %y_index3 = tpu.weight "y_index3" key = "y_index3" : tensor<8x1xi32>
// CHECK-NEXT:    %y = tpu.resample "y" %s, %y_index3 axis = 3 : (tensor<1x2x4x4xf32>, tensor<8x1xi32>) -> tensor<1x2x4x8xf32>
// CHECK-NEXT:    func.return %y

// F32-NOT:  quant
// F32:      %w = tpu.weight "w" value = dense<
// F32-NEXT: %b = tpu.weight "b" value = dense<[1.000000e+00, 0.000000e+00]>
// F32-NEXT: %c = tpu.conv2d "c" %image, %w, %b accumulator = "f32" : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
// F32-NEXT: %r = tpu.clamp "r" %c clamp_low = 0.0
// F32-NOT:  quant

// Every tensor but the bias is stored in bf16; inputs and results stay f32.
// BF16:       func.func @main(%image: tensor<1x1x4x4xf32>) -> tensor<1x2x4x8xf32>
// BF16-NEXT:    %image_bf16 = tpu.cast "image_bf16" %image : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xbf16>
// BF16-NEXT:    %w_bf16 = tpu.weight "w.bf16" key = "w.bf16" : tensor<2x1x1x1xbf16>
// BF16-NEXT:    %b = tpu.weight "b" value = dense<[1.000000e+00, 0.000000e+00]> : tensor<2xf32> : tensor<2xf32>
// BF16-NEXT:    %c = tpu.conv2d "c" %image_bf16, %w_bf16, %b accumulator = "f32" : (tensor<1x1x4x4xbf16>, tensor<2x1x1x1xbf16>, tensor<2xf32>) -> tensor<1x2x4x4xbf16>
// BF16-NEXT:    %r = tpu.clamp "r" %c clamp_low = 0.0 : (tensor<1x2x4x4xbf16>) -> tensor<1x2x4x4xbf16>
// BF16-NEXT:    %p = tpu.max_pool "p" %r kernel = [1, 1] : (tensor<1x2x4x4xbf16>) -> tensor<1x2x4x4xbf16>
// BF16-NEXT:    %s = tpu.softmax "s" %p axis = 1 : (tensor<1x2x4x4xbf16>) -> tensor<1x2x4x4xbf16>
// BF16-NEXT:    %y_index3 = tpu.weight "y_index3" key = "y_index3" : tensor<8x1xi32>
// BF16-NEXT:    %y = tpu.resample "y" %s, %y_index3 axis = 3 : (tensor<1x2x4x4xbf16>, tensor<8x1xi32>) -> tensor<1x2x4x8xbf16>
// BF16-NEXT:    %y_f32 = tpu.cast "y_f32" %y : (tensor<1x2x4x8xbf16>) -> tensor<1x2x4x8xf32>
// BF16-NEXT:    func.return %y_f32
