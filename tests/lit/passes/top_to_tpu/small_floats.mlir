// RUN: smalti-opt %s -p "convert-top-to-tpu{target=bm1690-8c scheme=f8e4m3}" --weights-out %t.safetensors | filecheck %s
// RUN: not smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=f8e5m2}" 2>&1 | filecheck %s --check-prefix NONE

// The range of the input, up to 3.5, becomes that of E4M3FN, up to 448; of each column of weights, too.
func.func @main(%x: tensor<2x3x!quant.calibrated<f32<-1.0:3.5>>>) -> tensor<2x2xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %w = top.weight "w" value = dense<[[0.5, 7.0], [0.875, 1.0], [0.0, 0.5]]> : tensor<3x2xf32> : tensor<3x2xf32>
  %y = top.matmul "y" %x, %w : (tensor<2x3x!quant.calibrated<f32<-1.0:3.5>>>, tensor<3x2xf32>) -> tensor<2x2xf32>
  func.return %y : tensor<2x2xf32>
}

// CHECK:      tpu.weight "w.f8E4M3FN" key = "w.f8E4M3FN" : tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {1.953125e-03,1.562500e-02}>>
// CHECK:      %x_f8E4M3FN = tpu.cast "x_f8E4M3FN" %x_f16 : (tensor<2x3xf16>) -> tensor<2x3x!tpu.scaled<f8E4M3FN:f16, 7.812500e-03>>
// CHECK-NEXT: %y = tpu.matmul "y" %x_f8E4M3FN, %w_f8E4M3FN accumulator = "f32" : {{.*}} -> tensor<2x2xf16>

// NONE: error: target 'edge-1c' cannot compute by scheme 'f8e5m2': its matrix unit has no rate for weights of f8E5M2
