// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f32}" | filecheck %s --check-prefix F32
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f16}" --weights-out %t.safetensors | filecheck %s --check-prefix F16

// A network of f16 with an island of f32: what is computed has one type, its border keeps f16.
func.func @main(%x: tensor<1x4xf16>) -> tensor<1x4xf16> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %a = top.relu "a" %x : (tensor<1x4xf16>) -> tensor<1x4xf16>
  %w = top.cast "w" %a : (tensor<1x4xf16>) -> tensor<1x4xf32>
  %c = top.weight "c" value = dense<1.0e9> : tensor<4xf32> : tensor<4xf32>
  %m = top.mul "m" %w, %c : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  %y = top.cast "y" %m : (tensor<1x4xf32>) -> tensor<1x4xf16>
  func.return %y : tensor<1x4xf16>
}

// F32:      func.func @main(%x: tensor<1x4xf16>) -> tensor<1x4xf16>
// F32-NEXT:   %x_f32 = tpu.cast "x_f32" %x : (tensor<1x4xf16>) -> tensor<1x4xf32>
// F32-NEXT:   %a = tpu.clamp "a" %x_f32 clamp_low = 0.0 : (tensor<1x4xf32>) -> tensor<1x4xf32>
// F32-NEXT:   %c = tpu.weight "c" value = dense<1.000000e+09> : tensor<4xf32> : tensor<4xf32>
// F32-NEXT:   %m = tpu.mul "m" %a, %c : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
// F32-NEXT:   %y = tpu.cast "y" %m : (tensor<1x4xf32>) -> tensor<1x4xf16>
// F32-NEXT:   func.return %y

// The constant becomes f16's greatest number, as in ONNX Runtime's float16 converter.
// F16:      func.func @main(%x: tensor<1x4xf16>) -> tensor<1x4xf16>
// F16-NEXT:   %a = tpu.clamp "a" %x clamp_low = 0.0 : (tensor<1x4xf16>) -> tensor<1x4xf16>
// F16-NEXT:   %c_f16 = tpu.weight "c.f16" key = "c.f16" : tensor<4xf16>
// F16-NEXT:   %m = tpu.mul "m" %a, %c_f16 : (tensor<1x4xf16>, tensor<4xf16>) -> tensor<1x4xf16>
// F16-NEXT:   func.return %m
