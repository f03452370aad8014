// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-plan" | filecheck %s
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-plan{tiles=by-layer}" | filecheck %s --check-prefix ALONE
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-plan{tiles=layer}" 2>&1 | filecheck %s --check-prefix TILES

// A block of MobileNetV2, 64 channels, widened to 384, in rows of 14 pixels.

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x64x14x14x!quant.uniform<i8:f32, 0.05>>) -> tensor<1x64x14x14x!quant.uniform<i8:f32, 0.1>> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
    %v = tpu.weight "v" seed = 1 : tensor<384x64x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %d = tpu.weight "d" seed = 2 : tensor<384x1x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %w = tpu.weight "w" seed = 3 : tensor<64x384x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %a = tpu.conv2d "a" %x, %v accumulator = "i32" clamp_low = 0.0 : (tensor<1x64x14x14x!quant.uniform<i8:f32, 0.05>>, tensor<384x64x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x384x14x14x!quant.uniform<i8:f32, 0.1:-128>>
    %b = tpu.conv2d "b" %a, %d pads = [1, 1, 1, 1] groups = 384 accumulator = "i32" clamp_low = 0.0 : (tensor<1x384x14x14x!quant.uniform<i8:f32, 0.1:-128>>, tensor<384x1x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x384x14x14x!quant.uniform<i8:f32, 0.1:-128>>
    %c = tpu.conv2d "y" %b, %w accumulator = "i32" : (tensor<1x384x14x14x!quant.uniform<i8:f32, 0.1:-128>>, tensor<64x384x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x64x14x14x!quant.uniform<i8:f32, 0.1>>
    func.return %c : tensor<1x64x14x14x!quant.uniform<i8:f32, 0.1>>
  }
}

// All three go through the channels: the depthwise convolution starts with those that the first one has computed, and the
// last one multiplies a part of its depth, as soon as these are there.
// CHECK: -> %a {{.*}} tile = [1, 64, 2, 14], depth = 64
// CHECK: -> %b {{.*}} tile = [1, 128, 2, 14], depth = 1
// CHECK: -> %y {{.*}} tile = [1, 64, 2, 14], depth = 128

// By itself, the depthwise one goes through the rows, and waits for all channels of one; the last one waits for all.
// ALONE: -> %a {{.*}} tile = [1, 128, 2, 14], depth = 64
// ALONE: -> %b {{.*}} tile = [1, 384, 1, 14], depth = 1
// ALONE: -> %y {{.*}} tile = [1, 64, 2, 14], depth = 384

// TILES: pass 'tile-plan': error: option 'tiles' is layer, expected one of together, by-layer
// TILES: hint: did you mean by-layer
