// RUN: smalti-opt %s --split-input-file --verify-diagnostics -p tile-cut-to-local-memory

// Packed weights are other bytes than those that have the address.

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] address = 0 : memref<1x56x56x64xi8, "global">
    // expected-error @below {{weights 'w' cannot keep address 4096: what is read of them is packed into new constants}}
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] address = 4096 : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

// Weights that are read as they are keep their address.

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 8, 4, 4] order = [0, 1, 2, 3] : memref<1x8x4x4xf32, "global">
    %y = tile.global "y" segment = "output" shape = [1, 8, 4, 4] order = [0, 1, 2, 3] : memref<1x8x4x4xf32, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [1, 8, 4, 4] order = [0, 1, 2, 3] address = 4096 : memref<1x8x4x4xf32, "global">
    tile.layer (%0 = %x : memref<1x8x4x4xf32, "global"> as tensor<1x8x4x4xf32>, %1 = %w : memref<1x8x4x4xf32, "global"> as tensor<1x8x4x4xf32>) -> %y : memref<1x8x4x4xf32, "global"> window = [0, 1, 0, 8, 0, 4, 0, 4] {
      %2 = tpu.add "y" %0, %1 : (tensor<1x8x4x4xf32>, tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
      tile.yield %2 : tensor<1x8x4x4xf32>
    }
  }
}
