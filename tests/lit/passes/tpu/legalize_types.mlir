// RUN: smalti-opt %s -p 'convert-top-to-tpu{target="%S/Inputs/no_bf16.toml" quantize=bf16},tpu-legalize-types,cse' --weights-out %t.safetensors --mlir-print-debuginfo | filecheck %s
// RUN: smalti-opt %s -p 'convert-top-to-tpu{target="%S/Inputs/no_bf16.toml" quantize=f16},tpu-legalize-types,cse' --weights-out %t.safetensors | filecheck %s --check-prefix SAME
// RUN: smalti-opt %s -p 'convert-top-to-tpu{target=edge-1c quantize=bf16},tpu-legalize-types,cse' --weights-out %t.safetensors | filecheck %s --check-prefix SAME

// The unit has f32 and f16, no bf16; the depthwise convolution is none of its business.
func.func @main(%x: tensor<1x4x8x8xf32>) -> tensor<1x2x8x8xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %w = top.weight "w" seed = 1 : tensor<2x4x1x1xf32>
  %b = top.weight "b" seed = 2 : tensor<2xf32>
  %dw = top.weight "dw" seed = 3 : tensor<4x1x3x3xf32>
  %d = top.conv2d "d" %x, %dw pads = [1, 1, 1, 1] groups = 4 : (tensor<1x4x8x8xf32>, tensor<4x1x3x3xf32>) -> tensor<1x4x8x8xf32> loc("Depthwise")
  %y = top.conv2d "y" %d, %w, %b : (tensor<1x4x8x8xf32>, tensor<2x4x1x1xf32>, tensor<2xf32>) -> tensor<1x2x8x8xf32> loc("Conv")
  func.return %y : tensor<1x2x8x8xf32>
}

// CHECK:         %d = tpu.conv2d "d" {{.*}} groups = 4 {{.*}} -> tensor<1x4x8x8xbf16> loc("Depthwise")
// CHECK:         %d_f32 = tpu.cast "d_f32" %d : (tensor<1x4x8x8xbf16>) -> tensor<1x4x8x8xf32> loc("Conv")
// CHECK-NEXT:    %w_bf16_f32 = tpu.weight "w.bf16.f32" key = "w.bf16.f32" : tensor<2x4x1x1xf32>
// CHECK-NEXT:    %y_product = tpu.conv2d "y_product" %d_f32, %w_bf16_f32, %b accumulator = "f32" : (tensor<1x4x8x8xf32>, tensor<2x4x1x1xf32>, tensor<2xf32>) -> tensor<1x2x8x8xf32> loc("Conv")
// CHECK-NEXT:    %y = tpu.cast "y" %y_product : (tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xbf16> loc("Conv")

// SAME-NOT: tpu.cast "d_f32"
// SAME:     tpu.conv2d "y"
