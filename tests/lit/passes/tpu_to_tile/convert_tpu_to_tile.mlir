// RUN: smalti-opt %s -p "convert-tpu-to-tile" | filecheck %s
// RUN: smalti-opt %s -p "convert-tpu-to-tile" --mlir-print-debuginfo | filecheck %s --check-prefix LOC

// A buffer for each tensor, images channel-last and padded to lane groups, and a layer for each op.

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%image: tensor<1x3x8x8xf32>) -> tensor<1x24xf32> attributes {smalti.inputs = ["image"], smalti.outputs = ["out"]} {
    %q = tpu.cast "q" %image : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8x!quant.uniform<i8:f32, 0.05:-1>> loc("image")
    %w = tpu.weight "w" seed = 1 : tensor<24x3x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %c = tpu.conv2d "c" %q, %w strides = [2, 2] pads = [1, 1, 1, 1] accumulator = "i32" clamp_low = 0.0 : (tensor<1x3x8x8x!quant.uniform<i8:f32, 0.05:-1>>, tensor<24x3x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x24x4x4x!quant.uniform<i8:f32, 0.1:-128>> loc("Conv_0")
    %m = tpu.reduce "m" %c kind = "mean" axes = [2, 3] : (tensor<1x24x4x4x!quant.uniform<i8:f32, 0.1:-128>>) -> tensor<1x24x!quant.uniform<i8:f32, 0.1:-128>> loc("Mean_1")
    %y = tpu.cast "y" %m : (tensor<1x24x!quant.uniform<i8:f32, 0.1:-128>>) -> tensor<1x24xf32>
    func.return %y : tensor<1x24xf32>
  }
}

// CHECK:      tile.program @main {
// CHECK-NEXT:   %image = tile.global "image" segment = "input" shape = [1, 3, 8, 8] order = [0, 1, 2, 3] : memref<1x3x8x8xf32, "global">
// CHECK-NEXT:   %out = tile.global "out" segment = "output" shape = [1, 24] order = [0, 1] : memref<1x24xf32, "global">
// CHECK-NEXT:   %q = tile.global "q" segment = "scratch" shape = [1, 3, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
// CHECK-NEXT:   %w = tile.global "w" segment = "weights" seed = 1 shape = [24, 3, 3, 3] order = [0, 1, 2, 3] : memref<24x3x3x3xi8, "global">
// CHECK-NEXT:   %c = tile.global "c" segment = "scratch" shape = [1, 24, 4, 4] order = [0, 2, 3, 1] : memref<1x4x4x32xi8, "global">
// CHECK-NEXT:   %m = tile.global "m" segment = "scratch" shape = [1, 24] order = [0, 1] : memref<1x32xi8, "global">
// CHECK-NEXT:   tile.layer (%0 = %image {{.*}}) -> %q {{.*}} window = [0, 1, 0, 3, 0, 8, 0, 8] {
// CHECK-NEXT:     %1 = tpu.cast "q" %0
// CHECK-NEXT:     tile.yield %1
// CHECK:        tile.layer (%0 = %q {{.*}}, %1 = %w {{.*}}) -> %c {{.*}} window = [0, 1, 0, 24, 0, 4, 0, 4] {
// CHECK-NEXT:     %2 = tpu.conv2d "c" %0, %1 strides = [2, 2]
// CHECK:        tile.layer (%0 = %c {{.*}}) -> %m {{.*}} window = [0, 1, 0, 24] {
// CHECK:        tile.layer (%0 = %m {{.*}}) -> %out {{.*}} window = [0, 1, 0, 24] {
// CHECK-NOT:  func.func

// LOC: tpu.conv2d {{.*}} loc("Conv_0")
// LOC: } loc("Conv_0")
