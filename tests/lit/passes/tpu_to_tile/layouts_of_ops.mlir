// RUN: smalti-opt %s --split-input-file -p "convert-tpu-to-tile" | filecheck %s

// The layout that each kind of op asks for. A lane group of the target is 16 elements in f32.

// Image ops compute on pixels: the channels come last, padded to lane groups. What is element-wise lies as they do.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x5x4x4xf32>) -> tensor<1x5x4x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
    %pool = tpu.max_pool "pool" %x kernel = [1, 1] : (tensor<1x5x4x4xf32>) -> tensor<1x5x4x4xf32>
    %lrn = tpu.local_response_norm "lrn" %pool size = 3 alpha = 0.5 beta = 0.75 offset = 1.0 : (tensor<1x5x4x4xf32>) -> tensor<1x5x4x4xf32>
    %sum = tpu.add "sum" %lrn, %pool : (tensor<1x5x4x4xf32>, tensor<1x5x4x4xf32>) -> tensor<1x5x4x4xf32>
    %out = tpu.clamp "out" %sum clamp_low = 0.0 : (tensor<1x5x4x4xf32>) -> tensor<1x5x4x4xf32>
    func.return %out : tensor<1x5x4x4xf32>
  }
}
// CHECK-DAG: "pool" {{.*}} order = [0, 2, 3, 1] : memref<1x4x4x16xf32, "global">
// CHECK-DAG: "lrn" {{.*}} order = [0, 2, 3, 1] : memref<1x4x4x16xf32, "global">
// CHECK-DAG: "sum" {{.*}} order = [0, 2, 3, 1] : memref<1x4x4x16xf32, "global">

// -----

// Element-wise ops alone are dense, as inputs and outputs are.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<2x5x4xf32>) -> tensor<2x5x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
    %alone = tpu.unary "alone" %x kind = "exp" : (tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %out = tpu.clamp "out" %alone clamp_low = 0.0 : (tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    func.return %out : tensor<2x5x4xf32>
  }
}
// CHECK: "alone" {{.*}} order = [0, 1, 2] : memref<2x5x4xf32, "global">

// -----

// So is a mean over an image of few channels, which channels last would pad; with many channels they are last.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x3x8x8xf32>, %y: tensor<1x32x8x8xf32>) -> (tensor<1x3x1x1xf32>, tensor<1x32x1x1xf32>) attributes {smalti.inputs = ["x", "y"], smalti.outputs = ["a", "b"]} {
    %few = tpu.clamp "few" %x clamp_low = 0.0 : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
    %a = tpu.reduce "a" %few kind = "mean" axes = [2, 3] keepdims : (tensor<1x3x8x8xf32>) -> tensor<1x3x1x1xf32>
    %many = tpu.clamp "many" %y clamp_low = 0.0 : (tensor<1x32x8x8xf32>) -> tensor<1x32x8x8xf32>
    %b = tpu.reduce "b" %many kind = "mean" axes = [2, 3] keepdims : (tensor<1x32x8x8xf32>) -> tensor<1x32x1x1xf32>
    func.return %a, %b : tensor<1x3x1x1xf32>, tensor<1x32x1x1xf32>
  }
}
// CHECK: "few" {{.*}} order = [0, 1, 2, 3] : memref<1x3x8x8xf32, "global">
// CHECK: "many" {{.*}} order = [0, 2, 3, 1] : memref<1x8x8x32xf32, "global">

// -----

// A normalization or softmax over the last axis asks for rows, and so does a matrix product; what differs from their
// operands by element-wise ops lies as rows, too.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<2x5x4xf32>) -> tensor<2x5x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
    %before = tpu.unary "before" %x kind = "exp" : (tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %rows = tpu.normalize "rows" %before kind = "mean_variance" axes = [2] epsilon = 0.5 : (tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %w = tpu.weight "w" seed = 1 : tensor<4x4xf32>
    %product = tpu.matmul "product" %rows, %w accumulator = "f32" : (tensor<2x5x4xf32>, tensor<4x4xf32>) -> tensor<2x5x4xf32>
    %soft = tpu.softmax "soft" %product axis = 2 : (tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %out = tpu.clamp "out" %soft clamp_low = 0.0 : (tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    func.return %out : tensor<2x5x4xf32>
  }
}
// CHECK-DAG: "before" {{.*}} order = [0, 1, 2] : memref<2x5x16xf32, "global">
// CHECK-DAG: "rows" {{.*}} order = [0, 1, 2] : memref<2x5x16xf32, "global">
// CHECK-DAG: "product" {{.*}} order = [0, 1, 2] : memref<2x5x16xf32, "global">
// CHECK-DAG: "soft" {{.*}} order = [0, 1, 2] : memref<2x5x16xf32, "global">

// -----

// A normalization over other axes, and a softmax along another one, leave the layout to what else computes.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x5x4x4xf32>) -> tensor<1x5x4x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
    %instance = tpu.normalize "instance" %x kind = "mean_variance" axes = [1] epsilon = 0.5 : (tensor<1x5x4x4xf32>) -> tensor<1x5x4x4xf32>
    %soft = tpu.softmax "soft" %instance axis = 1 : (tensor<1x5x4x4xf32>) -> tensor<1x5x4x4xf32>
    %out = tpu.clamp "out" %soft clamp_low = 0.0 : (tensor<1x5x4x4xf32>) -> tensor<1x5x4x4xf32>
    func.return %out : tensor<1x5x4x4xf32>
  }
}
// CHECK-DAG: "instance" {{.*}} order = [0, 2, 3, 1] : memref<1x4x4x16xf32, "global">
// CHECK-DAG: "soft" {{.*}} order = [0, 2, 3, 1] : memref<1x4x4x16xf32, "global">

// -----

// Where a convolution reads what is also normalized along rows, the convolution wins.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x5x4x4xf32>) -> (tensor<1x5x4x4xf32>, tensor<1x5x4x4xf32>) attributes {smalti.inputs = ["x"], smalti.outputs = ["a", "b"]} {
    %both = tpu.clamp "both" %x clamp_low = 0.0 : (tensor<1x5x4x4xf32>) -> tensor<1x5x4x4xf32>
    %a = tpu.normalize "a" %both kind = "rms" axes = [3] epsilon = 0.5 : (tensor<1x5x4x4xf32>) -> tensor<1x5x4x4xf32>
    %w = tpu.weight "w" seed = 1 : tensor<5x5x1x1xf32>
    %b = tpu.conv2d "b" %both, %w accumulator = "f32" : (tensor<1x5x4x4xf32>, tensor<5x5x1x1xf32>) -> tensor<1x5x4x4xf32>
    func.return %a, %b : tensor<1x5x4x4xf32>, tensor<1x5x4x4xf32>
  }
}
// CHECK: "both" {{.*}} order = [0, 2, 3, 1] : memref<1x4x4x16xf32, "global">

// -----

// Concats, slices and pads of rows are rows: nothing computes on what they move, and no padding is moved along.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<2x5x4xf32>) -> tensor<2x10x6xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
    %twice = tpu.concat "twice" %x, %x axis = 1 : (tensor<2x5x4xf32>, tensor<2x5x4xf32>) -> tensor<2x10x4xf32>
    %part = tpu.slice "part" %twice starts = [0, 0, 0] sizes = [2, 10, 2] steps = [1, 1, 1] : (tensor<2x10x4xf32>) -> tensor<2x10x2xf32>
    %out = tpu.pad "out" %part low = [0, 0, 2] high = [0, 0, 2] : (tensor<2x10x2xf32>) -> tensor<2x10x6xf32>
    func.return %out : tensor<2x10x6xf32>
  }
}
// CHECK-DAG: "twice" {{.*}} order = [0, 1, 2] : memref<2x10x4xf32, "global">
// CHECK-DAG: "part" {{.*}} order = [0, 1, 2] : memref<2x10x2xf32, "global">
