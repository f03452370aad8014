// RUN: smalti-opt %s -p "convert-tpu-to-tile" | filecheck %s

// A normalization along the last axis makes rows as they are (%rows), unless a neighbor asks for channel-last pixels, as
// local response normalization does (%image). One along the channels is content with channel-last pixels (%channels).
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%a: tensor<1x6x4x5xf32>, %b: tensor<1x6x4x5xf32>, %c: tensor<1x6x4x5xf32>) -> (tensor<1x6x4x5xf32>, tensor<1x6x4x5xf32>, tensor<1x6x4x5xf32>) attributes {smalti.inputs = ["a", "b", "c"], smalti.outputs = ["y", "z", "u"]} {
    %rows = tpu.normalize "rows" %a kind = "mean_variance" axes = [3] epsilon = 1.0e-05 : (tensor<1x6x4x5xf32>) -> tensor<1x6x4x5xf32>
    %y = tpu.clamp "y" %rows clamp_low = 0.0 : (tensor<1x6x4x5xf32>) -> tensor<1x6x4x5xf32>
    %image = tpu.normalize "image" %b kind = "mean_variance" axes = [3] epsilon = 1.0e-05 : (tensor<1x6x4x5xf32>) -> tensor<1x6x4x5xf32>
    %z = tpu.local_response_norm "z" %image size = 5 alpha = 0.5 beta = 0.75 offset = 1.0 : (tensor<1x6x4x5xf32>) -> tensor<1x6x4x5xf32>
    %channels = tpu.normalize "channels" %c kind = "mean_variance" axes = [1] epsilon = 1.0e-05 : (tensor<1x6x4x5xf32>) -> tensor<1x6x4x5xf32>
    %u = tpu.clamp "u" %channels clamp_low = 0.0 : (tensor<1x6x4x5xf32>) -> tensor<1x6x4x5xf32>
    func.return %y, %z, %u : tensor<1x6x4x5xf32>, tensor<1x6x4x5xf32>, tensor<1x6x4x5xf32>
  }
}

// CHECK: %rows = tile.global "rows" segment = "scratch" shape = [1, 6, 4, 5] order = [0, 1, 2, 3] : memref<1x6x4x16xf32, "global">
// CHECK: %image = tile.global "image" segment = "scratch" shape = [1, 6, 4, 5] order = [0, 2, 3, 1] : memref<1x4x5x16xf32, "global">
// CHECK: %channels = tile.global "channels" segment = "scratch" shape = [1, 6, 4, 5] order = [0, 2, 3, 1] : memref<1x4x5x16xf32, "global">
