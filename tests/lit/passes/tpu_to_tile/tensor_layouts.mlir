// RUN: smalti-opt %s -p "convert-tpu-to-tile" | filecheck %s

// What is only moved is dense and lies as its elements come: here channel-last pixels become rows. What is computed
// on afterward is padded to lane groups.

!c = tensor<1x6x4x4xf32>
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%image: tensor<1x3x4x4xf32>) -> (tensor<1x3x32xf32>, tensor<1x6x8x2xf32>) attributes {smalti.inputs = ["image"], smalti.outputs = ["y", "z"]} {
    %w = tpu.weight "w" seed = 1 : tensor<6x3x1x1xf32>
    %c = tpu.conv2d "c" %image, %w accumulator = "f32" : (tensor<1x3x4x4xf32>, tensor<6x3x1x1xf32>) -> !c
    %t = tpu.transpose "t" %c permutation = [0, 2, 3, 1] : (!c) -> tensor<1x4x4x6xf32>
    %r = tpu.reshape "r" %t : (tensor<1x4x4x6xf32>) -> tensor<1x3x32xf32>
    %y = tpu.clamp "y" %r clamp_low = 0.0 : (tensor<1x3x32xf32>) -> tensor<1x3x32xf32>
    %s = tpu.reshape "s" %c : (!c) -> tensor<1x2x3x4x4xf32>
    %u = tpu.transpose "u" %s permutation = [0, 2, 1, 3, 4] : (tensor<1x2x3x4x4xf32>) -> tensor<1x3x2x4x4xf32>
    %z = tpu.reshape "z" %u : (tensor<1x3x2x4x4xf32>) -> tensor<1x6x8x2xf32>
    func.return %y, %z : tensor<1x3x32xf32>, tensor<1x6x8x2xf32>
  }
}

// CHECK:      "c" segment = "scratch" shape = [1, 6, 4, 4] order = [0, 2, 3, 1] : memref<1x4x4x16xf32, "global">
// CHECK-NEXT: "t" segment = "scratch" shape = [1, 4, 4, 6] order = [0, 1, 2, 3] : memref<1x4x4x6xf32, "global">
// CHECK-NEXT: "r" segment = "scratch" shape = [1, 3, 32] order = [0, 1, 2] : memref<1x3x32xf32, "global">
// CHECK:      "s" segment = "scratch" shape = [1, 2, 3, 4, 4] order = [0, 3, 4, 1, 2] : memref<1x4x4x2x3xf32, "global">
// CHECK-NEXT: "u" segment = "scratch" shape = [1, 3, 2, 4, 4] order = [0, 3, 4, 2, 1] : memref<1x4x4x2x3xf32, "global">
