// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=w4a8}" --weights-out %t.safetensors | filecheck %s
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=w4a8},convert-tpu-to-tile,tile-plan,tile-split-over-cores,tile-cut-to-local-memory" --weights-out %t.tile.safetensors | filecheck %s --check-prefix TILE
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=w4a4}" --weights-out %t.a4.safetensors | filecheck %s --check-prefix NARROW
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c scheme=w8f16}" --weights-out %t.f16.safetensors | filecheck %s --check-prefix FLOAT
// RUN: not smalti-opt %s -p "convert-top-to-tpu{target=systolic-256 scheme=w4a8}" 2>&1 | filecheck %s --check-prefix TARGET

// Weights of 4 bits have a scale for each output channel. They lie packed in global and in local memory: two share a byte.
func.func @main(%x: tensor<1x8x4x4x!quant.calibrated<f32<-1.0:1.0>>>) -> tensor<1x4x4x4x!quant.calibrated<f32<-2.0:2.0>>> attributes {smalti.inputs = ["x"], smalti.outputs = ["z"]} {
  %w = top.weight "w" seed = 1 : tensor<16x8x3x3xf32>
  %y = top.conv2d "y" %x, %w pads = [1, 1, 1, 1] : (tensor<1x8x4x4x!quant.calibrated<f32<-1.0:1.0>>>, tensor<16x8x3x3xf32>) -> tensor<1x16x4x4x!quant.calibrated<f32<-2.0:2.0>>>
  %v = top.weight "v" seed = 2 : tensor<4x16x1x1xf32>
  %z = top.conv2d "z" %y, %v : (tensor<1x16x4x4x!quant.calibrated<f32<-2.0:2.0>>>, tensor<4x16x1x1xf32>) -> tensor<1x4x4x4x!quant.calibrated<f32<-2.0:2.0>>>
  func.return %z : tensor<1x4x4x4x!quant.calibrated<f32<-2.0:2.0>>>
}

// CHECK:      %w_i4 = tpu.weight "w.i4" key = "w.i4" : tensor<16x8x3x3x!quant.uniform<i4:f32:0, {{{.*}}}>>
// CHECK-NEXT: tpu.conv2d "y" %x_i8, %w_i4 pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x8x4x4x!quant.uniform<i8:f32, {{.*}}>>, tensor<16x8x3x3x!quant.uniform<i4:f32:0, {{.*}}>>)

// TILE: tile.global "w.i4.packed" segment = "weights" key = "w.i4.packed" shape = [1, 9, 8, 8] order = [0, 1, 2, 3] : memref<1x9x8x8xui8, "global">
// TILE: tile.alloc core 0 : memref<1x72x8xui8, "local">
// TILE: tile.conv2d core 0 {{.*}} channels = [8, 16] kernel = [3, 3] {{.*}} packed = "i4" {{.*}}, memref<1x72x8xui8, "local"> ->

// What a product reads is narrowed to 4 bits, but the input of the network.
// NARROW:      tpu.conv2d "y" %x_i8, %w_i4
// NARROW-NEXT: %y_i4 = tpu.requantize "y_i4" %y {{.*}} -> tensor<1x16x4x4x!quant.uniform<i8<-8:7>:f32, {{.*}}:-1>>
// NARROW:      tpu.conv2d "z" %y_i4, %v_i4

// Weights alone are integers: they are multiplied as floats.
// FLOAT: tpu.conv2d "y" %x_f16, %w_i8 pads = [1, 1, 1, 1] accumulator = "f32" : (tensor<1x8x4x4xf16>, tensor<16x8x3x3x!quant.uniform<i8:f32:0, {{.*}}>>) -> tensor<1x16x4x4xf16>

// TARGET: error: target 'systolic-256' cannot compute by scheme 'w4a8': its matrix unit has no rate for weights of i4
// TARGET: hint: it computes by int8, 
