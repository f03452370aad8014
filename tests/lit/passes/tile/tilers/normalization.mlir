// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-cut-to-local-memory" --weights-out %t.safetensors | filecheck %s

// Channels of an image are normalized side by side; rows along another axis are brought to the end by the copies.

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x24x4x4xf32>) -> tensor<1x24x4x4xf32> {
    %w = tpu.weight "w" seed = 1 : tensor<24x1x1xf32>
    %c = tpu.max_pool "c" %x kernel = [1, 1] : (tensor<1x24x4x4xf32>) -> tensor<1x24x4x4xf32>
    %n = tpu.normalize "n" %c, %w kind = "mean_variance" axes = [2, 3] epsilon = 0.5 : (tensor<1x24x4x4xf32>, tensor<24x1x1xf32>) -> tensor<1x24x4x4xf32> loc("Norm_1")
    %l = tpu.local_response_norm "l" %n size = 3 alpha = 0.5 beta = 0.75 offset = 1.0 : (tensor<1x24x4x4xf32>) -> tensor<1x24x4x4xf32>
    %m = tpu.normalize "m" %l kind = "rms" axes = [3] epsilon = 0.5 : (tensor<1x24x4x4xf32>) -> tensor<1x24x4x4xf32>
    func.return %m : tensor<1x24x4x4xf32>
  }
}

// CHECK: %n_parameters = tile.global "n.parameters" segment = "weights" key = "n.parameters" shape = [2, 1, 1, 1, 24]
// CHECK: tile.copy core 0 %n_parameters -> %n_parameters_tile source_strides = [24, 1] target_strides = [32, 1] sizes = [2, 24] pad = 8 pad_value = 0 origin = "n"
// CHECK: tile.normalize core 0 %c_tile parameters %n_parameters_tile -> {{.*}} kind = "mean_variance" length = 16 inner = 32 epsilon = 0.5 origin = "n" : memref<1x512xf32, "local">, memref<2x1x1x32xf32, "local">
// CHECK: tile.local_response_norm core 0 %n_tile -> {{.*}} columns = 24 size = 3 alpha = 0.5 beta = 0.75 offset = 1.0 origin = "l" : memref<1x4x4x32xf32, "local">
// CHECK: tile.normalize core 0 %l_tile -> {{.*}} kind = "rms" length = 4 epsilon = 0.5 origin = "m" : memref<48x16xf32, "local">
