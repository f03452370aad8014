// RUN: smalti-opt %s -p "top-round-weights{samples=%S/samples.npz}" --weights-out %t.safetensors | filecheck %s
// RUN: smalti-opt %s -p "top-round-weights{samples=%S/samples.npz rounding=nearest weight-bits=4}" --weights-out %t.2.safetensors | filecheck %s --check-prefix NEAREST
// RUN: not smalti-opt %s -p "top-round-weights{samples=%S/none.npz}" 2>&1 | filecheck %s --check-prefix NONE
// RUN: not smalti-opt %s -p "top-round-weights{samples=%S/samples.npz rounding=adarond}" 2>&1 | filecheck %s --check-prefix WORD

func.func @main(%x: tensor<1x4x!quant.calibrated<f32<-4.0:4.0>>>) -> tensor<1x2x!quant.calibrated<f32<-1.0:1.0>>> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %w = top.weight "w" seed = 1 : tensor<4x8xf32>
  %a = top.matmul "a" %x, %w : (tensor<1x4x!quant.calibrated<f32<-4.0:4.0>>>, tensor<4x8xf32>) -> tensor<1x8x!quant.calibrated<f32<-2.0:2.0>>>
  %r = top.relu "r" %a : (tensor<1x8x!quant.calibrated<f32<-2.0:2.0>>>) -> tensor<1x8x!quant.calibrated<f32<0.0:2.0>>>
  %v = top.weight "v" seed = 2 : tensor<8x2xf32>
  %y = top.matmul "y" %r, %v : (tensor<1x8x!quant.calibrated<f32<0.0:2.0>>>, tensor<8x2xf32>) -> tensor<1x2x!quant.calibrated<f32<-1.0:1.0>>>
  func.return %y : tensor<1x2x!quant.calibrated<f32<-1.0:1.0>>>
}

// CHECK:      %[[W:.*]] = top.weight "w_i8" key = "w.i8" : tensor<4x8x!quant.uniform<i8<-127:127>:f32:1, {{{.*}}}>>
// CHECK-NEXT: %[[D:.*]] = top.dequantize "w" %[[W]]
// CHECK-NEXT: %[[B:.*]] = top.weight "a_bias" value = {{.*}} : tensor<8xf32>
// CHECK-NEXT: %[[A:.*]] = top.matmul "a" %x, %[[D]], %[[B]]
// CHECK-NEXT: %[[R:.*]] = top.relu "r" %[[A]]
// CHECK-NEXT: %[[V:.*]] = top.weight "v_i8" key = "v.i8" : tensor<8x2x!quant.uniform<i8<-127:127>:f32:1, {{{.*}}}>>
// CHECK-NEXT: %[[E:.*]] = top.dequantize "v" %[[V]]
// CHECK-NEXT: %[[C:.*]] = top.weight "y_bias"
// CHECK-NEXT: %[[Y:.*]] = top.matmul "y" %[[R]], %[[E]], %[[C]]
// CHECK-NEXT: func.return %[[Y]]

// NEAREST: top.weight "w_i8" key = "w.i8" : tensor<4x8x!quant.uniform<i8<-7:7>:f32:1, {{{.*}}}>>
// NEAREST: top.weight "v_i8" key = "v.i8" : tensor<8x2x!quant.uniform<i8<-7:7>:f32:1, {{{.*}}}>>

// NONE: none.npz: error: no such file
// NONE: give an .npz file with arrays named as the network's inputs

// WORD: option 'rounding' is adarond, expected one of nearest, adaround
// WORD: did you mean adaround?
