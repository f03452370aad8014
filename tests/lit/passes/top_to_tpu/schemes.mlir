// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=symmetric-kl}" --weights-out %t.safetensors | filecheck %s --check-prefix SYMMETRIC
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=asymmetric-minmax}" --weights-out %t.safetensors | filecheck %s --check-prefix ASYMMETRIC
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=asymmetric-per-tensor}" --weights-out %t.safetensors | filecheck %s --check-prefix TENSOR
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=u8-asymmetric}" --weights-out %t.safetensors | filecheck %s --check-prefix UNSIGNED
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=power-of-two}" --weights-out %t.safetensors | filecheck %s --check-prefix POWER
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=w8a16}" --weights-out %t.safetensors | filecheck %s --check-prefix WIDE
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=w8a16 qtable=%S/Inputs/narrow.qtable}" --weights-out %t.safetensors | filecheck %s --check-prefix MIXED
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=hybrid}" --weights-out %t.safetensors | filecheck %s --check-prefix HYBRID
// RUN: not smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=int1}" 2>&1 | filecheck %s --check-prefix ONE
// RUN: not smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=symmetric}" 2>&1 | filecheck %s --check-prefix UNKNOWN

// Two products, and a sum of what both give.
func.func @main(%x: tensor<2x4x!quant.calibrated<f32<-1.0:3.0>>>) -> tensor<2x4x!quant.calibrated<f32<-6.0:6.0>>> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %w = top.weight "w" value = dense<[[0.5, 1.0, 0.25, -2.0], [0.5, 1.0, 0.0, 1.0], [0.0, 0.5, 0.25, 1.0], [0.5, 1.0, 0.25, -1.0]]> : tensor<4x4xf32> : tensor<4x4xf32>
  %a = top.matmul "a" %x, %w : (tensor<2x4x!quant.calibrated<f32<-1.0:3.0>>>, tensor<4x4xf32>) -> tensor<2x4x!quant.calibrated<f32<0.0:4.0>>>
  %b = top.matmul "b" %a, %w : (tensor<2x4x!quant.calibrated<f32<0.0:4.0>>>, tensor<4x4xf32>) -> tensor<2x4x!quant.calibrated<f32<-5.0:5.0>>>
  %y = top.add "y" %a, %b : (tensor<2x4x!quant.calibrated<f32<0.0:4.0>>>, tensor<2x4x!quant.calibrated<f32<-5.0:5.0>>>) -> tensor<2x4x!quant.calibrated<f32<-6.0:6.0>>>
  func.return %y : tensor<2x4x!quant.calibrated<f32<-6.0:6.0>>>
}

// Zero points are 0, and ranges reach equally far on both sides.
// SYMMETRIC:      %x_i8 = tpu.cast "x_i8" %x {{.*}} -> tensor<2x4x!quant.uniform<i8:f32, 0.0236220{{[0-9]*}}>>
// SYMMETRIC:      %a = tpu.matmul "a" %x_i8, {{.*}} -> tensor<2x4x!quant.uniform<i8:f32, 0.0314960{{[0-9]*}}>>
// SYMMETRIC:      %y = tpu.add "y" {{.*}} -> tensor<2x4x!quant.uniform<i8:f32, 0.0472440{{[0-9]*}}>>

// ASYMMETRIC:     !quant.uniform<i8<-127:127>:f32:1, {
// ASYMMETRIC:     %x_i8 = tpu.cast "x_i8" %x {{.*}} -> tensor<2x4x!quant.uniform<i8:f32, 0.0156862{{[0-9]*}}:-64>>
// ASYMMETRIC:     %a = tpu.matmul "a" %x_i8, {{.*}} -> tensor<2x4x!quant.uniform<i8:f32, 0.0156862{{[0-9]*}}:-128>>
// ASYMMETRIC:     %y = tpu.add "y" {{.*}} -> tensor<2x4x!quant.uniform<i8:f32, 0.0470588{{[0-9]*}}:-1>>

// UNSIGNED:       !quant.uniform<i8<-127:127>:f32:1, {
// UNSIGNED:       %x_u8 = tpu.cast "x_u8" %x {{.*}} -> tensor<2x4x!quant.uniform<u8:f32, 0.0156862{{[0-9]*}}:64>>
// UNSIGNED:       %a = tpu.matmul "a" %x_u8, {{.*}} -> tensor<2x4x!quant.uniform<u8:f32, 0.0156862{{[0-9]*}}>>
// UNSIGNED:       %y = tpu.add "y" {{.*}} -> tensor<2x4x!quant.uniform<u8:f32, 0.0470588{{[0-9]*}}:127>>

// TENSOR:         %w_i8 = tpu.weight "w.i8" key = "w.i8" : tensor<4x4x!quant.uniform<i8<-127:127>:f32, 0.0157480{{[0-9]*}}>>

// POWER:          %x_i8 = tpu.cast "x_i8" %x {{.*}} -> tensor<2x4x!quant.uniform<i8:f32, 3.125000e-02>>
// POWER-NEXT:     %w_i8 = tpu.weight "w.i8" {{.*}}<i8<-127:127>:f32:1, {7.812500e-03,1.562500e-02,3.906250e-03,3.125000e-02}>>
// POWER-NEXT:     %a = tpu.matmul "a" {{.*}} -> tensor<2x4x!quant.uniform<i8:f32, 6.250000e-02>>

// Weights of 8 bits, activations of 16.
// WIDE:           !quant.uniform<i8<-127:127>:f32:1, {
// WIDE:           %x_i16 = tpu.cast "x_i16" %x {{.*}} -> tensor<2x4x!quant.uniform<i16:f32, 9.1555{{[0-9]*}}e-05>>
// WIDE:           %a = tpu.matmul "a" %x_i16, {{.*}} accumulator = "i32" {{.*}} -> tensor<2x4x!quant.uniform<i16:f32, 0.00012{{[0-9]*}}>>

// A layer reads what another one of 8 bits gives in its own 16.
// MIXED:          %a = tpu.matmul "a" %x_i8, {{.*}} -> tensor<2x4x!quant.uniform<i8:f32, 0.0156862{{[0-9]*}}:-128>>
// MIXED-NEXT:     %a_i16 = tpu.requantize "a_i16" %a {{.*}} -> tensor<2x4x!quant.uniform<i16:f32, 0.00012{{[0-9]*}}>>
// MIXED:          %b = tpu.matmul "b" %a_i16, {{.*}} -> tensor<2x4x!quant.uniform<i16:f32, 0.00015{{[0-9]*}}>>
// MIXED-NEXT:     %y = tpu.add "y" %a_i16, %b

// Both products are ends of this network.
// HYBRID:         %a = tpu.matmul "a" {{.*}} -> tensor<2x4x!quant.uniform<i16:f32,
// HYBRID:         %y = tpu.add "y" {{.*}} -> tensor<2x4x!quant.uniform<i16:f32,

// ONE: pass 'convert-top-to-tpu': error: scheme 'int1' is not offered
// ONE: hint: w4a8 and w4a4 have the fewest bits

// UNKNOWN: pass 'convert-top-to-tpu': error: there is no scheme 'symmetric'
// UNKNOWN: hint: did you mean symmetric-kl or u8-asymmetric?
