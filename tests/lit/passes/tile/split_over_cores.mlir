// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-split-over-cores" | filecheck %s
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-split-over-cores{cores=2}" | filecheck %s --check-prefix TWO
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-split-over-cores{cores=1}" | filecheck %s --check-prefix ONE

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%image: tensor<1x64x56x56xf32>) -> tensor<1x128xf32> attributes {smalti.inputs = ["image"], smalti.outputs = ["out"]} {
    %q = tpu.cast "q" %image : (tensor<1x64x56x56xf32>) -> tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>> loc("image")
    %w = tpu.weight "w" seed = 1 : tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %c = tpu.conv2d "c" %q, %w strides = [2, 2] pads = [1, 1, 1, 1] accumulator = "i32" clamp_low = 0.0 : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x28x28x!quant.uniform<i8:f32, 0.1:-128>> loc("Conv_0")
    %m = tpu.reduce "m" %c kind = "mean" axes = [2, 3] : (tensor<1x128x28x28x!quant.uniform<i8:f32, 0.1:-128>>) -> tensor<1x128x!quant.uniform<i8:f32, 0.1:-128>> loc("Mean_1")
    %y = tpu.cast "y" %m : (tensor<1x128x!quant.uniform<i8:f32, 0.1:-128>>) -> tensor<1x128xf32>
    func.return %y : tensor<1x128xf32>
  }
}

// The first layer is bound by the transfer of its f32 input: a seventh core would not help. Rows share no weights,
// channels would share the whole input; of the convolution's image each core takes a quarter. The last layer is too
// small to divide.
// CHECK:      tile.layer core 0 {{.*}} -> %q {{.*}} window = [0, 1, 0, 64, 0, 10, 0, 56] {
// CHECK:      tile.layer core 5 {{.*}} -> %q {{.*}} window = [0, 1, 0, 64, 50, 56, 0, 56] {
// CHECK:      tile.layer core 0 {{.*}} -> %c {{.*}} window = [0, 1, 0, 128, 0, 14, 0, 14] {
// CHECK:      tile.layer core 3 {{.*}} -> %c {{.*}} window = [0, 1, 0, 128, 14, 28, 14, 28] {
// CHECK:      tile.layer core 0 {{.*}} -> %m {{.*}} window = [0, 1, 0, 64] {
// CHECK:      tile.layer core 1 {{.*}} -> %m {{.*}} window = [0, 1, 64, 128] {
// CHECK:      tile.layer core 0 {{.*}} -> %out {{.*}} window = [0, 1, 0, 128] {
// CHECK-NOT:  tile.layer

// TWO:     tile.layer core 1 {{.*}} -> %c {{.*}} window = [0, 1, 0, 128, 14, 28, 0, 28] {
// TWO-NOT: tile.layer core 2

// ONE-COUNT-4: tile.layer core 0
// ONE-NOT:     tile.layer
