// RUN: smalti-opt %s -p tile-split-over-cores,tile-cut-to-local-memory --weights-out %t.safetensors | filecheck %s

// Each core computes half of the channels of "a", and then needs all of them for its half of "y": a core sends what it
// keeps to itself and to the other one at once.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:21a344a0a3b704b3"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 16, 4, 4] order = [0, 2, 3, 1] : memref<1x4x4x16xi8, "global">
    %a = tile.global "a" segment = "scratch" shape = [1, 32, 4, 4] order = [0, 2, 3, 1] : memref<1x4x4x32xi8, "global">
    %v = tile.global "v" segment = "weights" seed = 1 shape = [32, 16, 1, 1] order = [0, 1, 2, 3] : memref<32x16x1x1xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 2 shape = [32, 32, 1, 1] order = [0, 1, 2, 3] : memref<32x32x1x1xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 32, 4, 4] order = [0, 2, 3, 1] : memref<1x4x4x32xi8, "global">
    tile.layer (%i = %x : memref<1x4x4x16xi8, "global"> as tensor<1x16x4x4x!quant.uniform<i8:f32, 0.05:-1>>, %k = %v : memref<32x16x1x1xi8, "global"> as tensor<32x16x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %a : memref<1x4x4x32xi8, "global"> window = [0, 1, 0, 32, 0, 4, 0, 4] schedule = #tile.schedule<cores = [0, 3], split = [1, 2, 1, 1], output = local> {
      %r = tpu.conv2d "a" %i, %k accumulator = "i32" : (tensor<1x16x4x4x!quant.uniform<i8:f32, 0.05:-1>>, tensor<32x16x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x32x4x4x!quant.uniform<i8:f32, 0.1:4>>
      tile.yield %r : tensor<1x32x4x4x!quant.uniform<i8:f32, 0.1:4>>
    }
    tile.layer (%i = %a : memref<1x4x4x32xi8, "global"> as tensor<1x32x4x4x!quant.uniform<i8:f32, 0.1:4>>, %k = %w : memref<32x32x1x1xi8, "global"> as tensor<32x32x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x4x4x32xi8, "global"> window = [0, 1, 0, 32, 0, 4, 0, 4] schedule = #tile.schedule<cores = [0, 3], split = [1, 2, 1, 1], activations = multicast> {
      %r = tpu.conv2d "y" %i, %k accumulator = "i32" : (tensor<1x32x4x4x!quant.uniform<i8:f32, 0.1:4>>, tensor<32x32x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x32x4x4x!quant.uniform<i8:f32, 0.2:4>>
      tile.yield %r : tensor<1x32x4x4x!quant.uniform<i8:f32, 0.2:4>>
    }
  }
}

// CHECK:      %a = tile.alloc core 0 tensor = "a" window = [0, 1, 0, 16, 0, 4, 0, 4]
// CHECK:      %a_1 = tile.alloc core 3 tensor = "a" window = [0, 1, 16, 32, 0, 4, 0, 4]
// CHECK:      %a_part = tile.alloc core 0
// CHECK:      %a_part_1 = tile.alloc core 3
// CHECK:      tile.copy core 0 %a -> %a_part source_strides = [16, 1] target_strides = [32, 1] sizes = [16, 16] group = 1 origin = "y"
// CHECK-NEXT: tile.copy core 0 %a -> %a_part_1 source_strides = [16, 1] target_strides = [32, 1] sizes = [16, 16] group = 1 origin = "y"
// CHECK-NEXT: tile.copy core 3 %a_1 -> %a_part source_strides = [16, 1] target_offset = 16 target_strides = [32, 1] sizes = [16, 16] group = 2 origin = "y"
// CHECK-NEXT: tile.copy core 3 %a_1 -> %a_part_1 source_strides = [16, 1] target_offset = 16 target_strides = [32, 1] sizes = [16, 16] group = 2 origin = "y"
// CHECK:      tile.conv2d core 0 %a_part,
// CHECK:      tile.conv2d core 3 %a_part_1,
