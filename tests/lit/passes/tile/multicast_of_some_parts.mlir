// RUN: smalti-opt %s -p tile-cut-to-local-memory --weights-out %t.safetensors | filecheck %s

// One part of the layer is to load its weights with others; the other one says nothing of weights, only of activations.
// So both load by themselves.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 16, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [16, 16, 1, 1] order = [0, 1, 2, 3] : memref<16x16x1x1xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 16, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
    tile.layer core 0 (%i = %x : memref<1x8x8x16xi8, "global"> as tensor<1x16x8x8x!quant.uniform<i8:f32, 0.05:-1>>, %k = %w : memref<16x16x1x1xi8, "global"> as tensor<16x16x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x8x8x16xi8, "global"> window = [0, 1, 0, 16, 0, 4, 0, 8] schedule = #tile.schedule<tile = [1, 16, 2, 8], weights = multicast> {
      %r = tpu.conv2d "y" %i, %k accumulator = "i32" : (tensor<1x16x8x8x!quant.uniform<i8:f32, 0.05:-1>>, tensor<16x16x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x16x8x8x!quant.uniform<i8:f32, 0.1:4>>
      tile.yield %r : tensor<1x16x8x8x!quant.uniform<i8:f32, 0.1:4>>
    }
    tile.layer core 3 (%i = %x : memref<1x8x8x16xi8, "global"> as tensor<1x16x8x8x!quant.uniform<i8:f32, 0.05:-1>>, %k = %w : memref<16x16x1x1xi8, "global"> as tensor<16x16x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x8x8x16xi8, "global"> window = [0, 1, 0, 16, 4, 8, 0, 8] schedule = #tile.schedule<tile = [1, 16, 2, 8], activations = multicast> {
      %r = tpu.conv2d "y" %i, %k accumulator = "i32" : (tensor<1x16x8x8x!quant.uniform<i8:f32, 0.05:-1>>, tensor<16x16x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x16x8x8x!quant.uniform<i8:f32, 0.1:4>>
      tile.yield %r : tensor<1x16x8x8x!quant.uniform<i8:f32, 0.1:4>>
    }
  }
}

// CHECK-NOT: group
// CHECK:     tile.copy core 0 %w_packed ->
// CHECK-NOT: group
// CHECK:     tile.copy core 3 %w_packed ->
// CHECK-NOT: group
