// RUN: smalti-opt %s -p tile-split-over-cores,tile-cut-to-local-memory --weights-out %t.safetensors | filecheck %s

// Each core computes half of the rows, and needs all weights and the whole table, which both load at once. Two of its
// tiles share them. What the cores do up to a multicast stands before it.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 16, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [16, 16, 1, 1] order = [0, 1, 2, 3] : memref<16x16x1x1xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 16, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
    tile.layer (%i = %x : memref<1x8x8x16xi8, "global"> as tensor<1x16x8x8x!quant.uniform<i8:f32, 0.05:-1>>, %k = %w : memref<16x16x1x1xi8, "global"> as tensor<16x16x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x8x8x16xi8, "global"> window = [0, 1, 0, 16, 0, 8, 0, 8] schedule = #tile.schedule<cores = [0, 3], split = [1, 1, 2, 1], tile = [1, 16, 2, 8], weights = multicast> {
      %r = tpu.conv2d "y" %i, %k accumulator = "i32" : (tensor<1x16x8x8x!quant.uniform<i8:f32, 0.05:-1>>, tensor<16x16x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x16x8x8x!quant.uniform<i8:f32, 0.1:4>>
      tile.yield %r : tensor<1x16x8x8x!quant.uniform<i8:f32, 0.1:4>>
    }
  }
}

// CHECK:      %w_packed_tile = tile.alloc core 0
// CHECK-NEXT: %w_packed_tile_1 = tile.alloc core 3
// CHECK-NEXT: tile.copy core 0 %w_packed -> %w_packed_tile source_strides = [1] target_strides = [1] sizes = [256] group = 1 origin = "y" :
// CHECK-NEXT: tile.copy core 3 %w_packed -> %w_packed_tile_1 source_strides = [1] target_strides = [1] sizes = [256] group = 1 origin = "y" :
// CHECK:      tile.copy core 0 %x -> %x_tile source_strides
// CHECK:      tile.conv2d core 0 %x_tile, %w_packed_tile ->
// CHECK:      tile.copy core 3 %x -> %x_tile_1 source_offset = 512
// CHECK:      tile.conv2d core 3 %x_tile_1, %w_packed_tile_1 ->
// CHECK:      tile.copy core 0 %y_table -> %y_table_tile source_strides = [1] target_strides = [1] sizes = [48] group = 2 origin = "y" :
// CHECK-NEXT: tile.copy core 3 %y_table -> %y_table_tile_1 source_strides = [1] target_strides = [1] sizes = [48] group = 2 origin = "y" :
// CHECK:      tile.epilogue core 0
// CHECK-NOT:  group
// CHECK:      tile.conv2d core 0 {{.*}}, %w_packed_tile ->
// CHECK:      tile.epilogue core 3
// CHECK:      tile.conv2d core 3 {{.*}}, %w_packed_tile_1 ->
