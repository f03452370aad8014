// RUN: smalti-opt %s | filecheck %s
// RUN: smalti-opt %s --mlir-print-op-generic | smalti-opt | filecheck %s
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f16}" | filecheck %s --check-prefix TPU

func.func @main(%x: tensor<2x10x3xf32>) -> (tensor<2x3xi64>, tensor<2x1x3xi64>, tensor<2x10x3xf32>, tensor<2x4x3xf32>, tensor<2x4x3xi64>) attributes {smalti.inputs = ["x"], smalti.outputs = ["a", "b", "c", "v", "i"]} {
  %a = top.along_axis "a" %x kind = "argmax" axis = 1 length = 1 : (tensor<2x10x3xf32>) -> tensor<2x3xi64>
  %b = top.along_axis "b" %x kind = "argmin" axis = 1 length = 1 keepdims last : (tensor<2x10x3xf32>) -> tensor<2x1x3xi64>
  %c = top.along_axis "c" %x kind = "cumsum" axis = 1 length = 10 keepdims exclusive reverse : (tensor<2x10x3xf32>) -> tensor<2x10x3xf32>
  %v = top.along_axis "v" %x kind = "top_k_values" axis = 1 length = 4 keepdims largest : (tensor<2x10x3xf32>) -> tensor<2x4x3xf32>
  %i = top.along_axis "i" %x kind = "top_k_indices" axis = 1 length = 4 keepdims : (tensor<2x10x3xf32>) -> tensor<2x4x3xi64>
  func.return %a, %b, %c, %v, %i : tensor<2x3xi64>, tensor<2x1x3xi64>, tensor<2x10x3xf32>, tensor<2x4x3xf32>, tensor<2x4x3xi64>
}

// CHECK:      %a = top.along_axis "a" %x kind = "argmax" axis = 1 length = 1 : (tensor<2x10x3xf32>) -> tensor<2x3xi64>
// CHECK-NEXT: %b = top.along_axis "b" %x kind = "argmin" axis = 1 length = 1 keepdims last : (tensor<2x10x3xf32>) -> tensor<2x1x3xi64>
// CHECK-NEXT: %c = top.along_axis "c" %x kind = "cumsum" axis = 1 length = 10 keepdims exclusive reverse : (tensor<2x10x3xf32>) -> tensor<2x10x3xf32>
// CHECK-NEXT: %v = top.along_axis "v" %x kind = "top_k_values" axis = 1 length = 4 keepdims largest : (tensor<2x10x3xf32>) -> tensor<2x4x3xf32>
// CHECK-NEXT: %i = top.along_axis "i" %x kind = "top_k_indices" axis = 1 length = 4 keepdims : (tensor<2x10x3xf32>) -> tensor<2x4x3xi64>

// The host gets the tensors in the number format; positions stay i64.
// TPU:      %x_f16 = tpu.cast "x_f16"
// TPU-NEXT: %a = tpu.host_call "a" %x_f16 kind = "argmax" axis = 1 length = 1 : (tensor<2x10x3xf16>) -> tensor<2x3xi64>
// TPU-NEXT: %b = tpu.host_call "b" %x_f16 kind = "argmin" axis = 1 length = 1 keepdims last : (tensor<2x10x3xf16>) -> tensor<2x1x3xi64>
// TPU-NEXT: %c = tpu.host_call "c" %x_f16 kind = "cumsum" axis = 1 length = 10 keepdims exclusive reverse : (tensor<2x10x3xf16>) -> tensor<2x10x3xf16>
// TPU-NEXT: %v = tpu.host_call "v" %x_f16 kind = "top_k_values" axis = 1 length = 4 keepdims largest : (tensor<2x10x3xf16>) -> tensor<2x4x3xf16>
// TPU-NEXT: %i = tpu.host_call "i" %x_f16 kind = "top_k_indices" axis = 1 length = 4 keepdims : (tensor<2x10x3xf16>) -> tensor<2x4x3xi64>
