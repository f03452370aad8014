// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c qtable=%S/Inputs/mixed.qtable}" | filecheck %s
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=bf16 qtable=%S/Inputs/mixed.qtable}" | filecheck %s
// RUN: not smalti-opt %s -p "convert-top-to-tpu{target=edge-1c qtable=%S/Inputs/unknown.qtable}" 2>&1 | filecheck %s --check-prefix UNKNOWN
// RUN: not smalti-opt %s -p "convert-top-to-tpu{target=edge-1c qtable=%S/Inputs/scheme.qtable}" 2>&1 | filecheck %s --check-prefix SCHEME
// RUN: not smalti-opt %s -p "convert-top-to-tpu{target=edge-1c qtable=%S/Inputs/short.qtable}" 2>&1 | filecheck %s --check-prefix SHORT
// RUN: not smalti-opt %s -p "convert-top-to-tpu{target=edge-1c qtable=%S/Inputs/none.qtable}" 2>&1 | filecheck %s --check-prefix NONE

// A row gives the layers that it names another scheme than the network's; casts stand between.
func.func @main(%x: tensor<1x8x!quant.calibrated<f32<-1.0:1.0>>>) -> tensor<1x8x!quant.calibrated<f32<-2.0:2.0>>> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %w = top.weight "w" seed = 1 : tensor<8x8xf32>
  %a = top.matmul "a" %x, %w : (tensor<1x8x!quant.calibrated<f32<-1.0:1.0>>>, tensor<8x8xf32>) -> tensor<1x8x!quant.calibrated<f32<-2.0:2.0>>>
  %c = top.matmul "/c" %a, %w : (tensor<1x8x!quant.calibrated<f32<-2.0:2.0>>>, tensor<8x8xf32>) -> tensor<1x8x!quant.calibrated<f32<-2.0:2.0>>>
  %y = top.matmul "y" %c, %w : (tensor<1x8x!quant.calibrated<f32<-2.0:2.0>>>, tensor<8x8xf32>) -> tensor<1x8x!quant.calibrated<f32<-2.0:2.0>>>
  func.return %y : tensor<1x8x!quant.calibrated<f32<-2.0:2.0>>>
}

// CHECK:      %x_f16 = tpu.cast "x_f16" %x : (tensor<1x8xf32>) -> tensor<1x8xf16>
// CHECK:      %a = tpu.matmul "a" %x_f16, {{.*}} accumulator = "f32" : (tensor<1x8xf16>, tensor<8x8xf16>) -> tensor<1x8xf16>
// CHECK-NEXT: %a_i8 = tpu.cast "a_i8" %a : (tensor<1x8xf16>) -> tensor<1x8x!quant.uniform<i8:f32, {{.*}}>>
// CHECK:      %c = tpu.matmul "/c" %a_i8, {{.*}} accumulator = "i32"
// CHECK-NEXT: %c_f32 = tpu.cast "/c_f32" %c
// CHECK:      %y = tpu.matmul "y" %c_f32, {{.*}} accumulator = "f32" : (tensor<1x8xf32>, tensor<8x8xf32>) -> tensor<1x8xf32>

// UNKNOWN: unknown.qtable:1:1: error: no layer is called 'yy'
// UNKNOWN: hint: did you mean y?

// SCHEME: scheme.qtable:1:3: error: there is no scheme 'f17'
// SCHEME: hint: did you mean f16?

// SHORT: short.qtable:1:2: error: the line ends too early, expected a scheme (int8, {{.*}}f32, f16, bf16{{.*}})

// NONE: none.qtable: error: cannot read the qtable: No such file or directory
