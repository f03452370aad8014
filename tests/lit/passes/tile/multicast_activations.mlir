// RUN: smalti-opt %s -p tile-split-over-cores,tile-cut-to-local-memory --weights-out %t.safetensors | filecheck %s

// Each core computes a third of the channels of "a", in a buffer for all of them, which it needs for its third of "y": it
// sends each tile to the other two cores at once.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 16, 4, 4] order = [0, 2, 3, 1] : memref<1x4x4x16xi8, "global">
    %a = tile.global "a" segment = "scratch" shape = [1, 48, 4, 4] order = [0, 2, 3, 1] : memref<1x4x4x48xi8, "global">
    %v = tile.global "v" segment = "weights" seed = 1 shape = [48, 16, 1, 1] order = [0, 1, 2, 3] : memref<48x16x1x1xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 2 shape = [48, 48, 1, 1] order = [0, 1, 2, 3] : memref<48x48x1x1xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 48, 4, 4] order = [0, 2, 3, 1] : memref<1x4x4x48xi8, "global">
    tile.layer (%i = %x : memref<1x4x4x16xi8, "global"> as tensor<1x16x4x4x!quant.uniform<i8:f32, 0.05:-1>>, %k = %v : memref<48x16x1x1xi8, "global"> as tensor<48x16x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %a : memref<1x4x4x48xi8, "global"> window = [0, 1, 0, 48, 0, 4, 0, 4] schedule = #tile.schedule<cores = [0, 3, 5], split = [1, 3, 1, 1], tile = [1, 16, 4, 4], output = local, activations = multicast> {
      %r = tpu.conv2d "a" %i, %k accumulator = "i32" : (tensor<1x16x4x4x!quant.uniform<i8:f32, 0.05:-1>>, tensor<48x16x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x48x4x4x!quant.uniform<i8:f32, 0.1:4>>
      tile.yield %r : tensor<1x48x4x4x!quant.uniform<i8:f32, 0.1:4>>
    }
    tile.layer (%i = %a : memref<1x4x4x48xi8, "global"> as tensor<1x48x4x4x!quant.uniform<i8:f32, 0.1:4>>, %k = %w : memref<48x48x1x1xi8, "global"> as tensor<48x48x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x4x4x48xi8, "global"> window = [0, 1, 0, 48, 0, 4, 0, 4] schedule = #tile.schedule<cores = [0, 3, 5], split = [1, 3, 1, 1], tile = [1, 16, 4, 4]> {
      %r = tpu.conv2d "y" %i, %k accumulator = "i32" : (tensor<1x48x4x4x!quant.uniform<i8:f32, 0.1:4>>, tensor<48x48x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x48x4x4x!quant.uniform<i8:f32, 0.2:4>>
      tile.yield %r : tensor<1x48x4x4x!quant.uniform<i8:f32, 0.2:4>>
    }
  }
}

// CHECK:      %a = tile.alloc core 0 tensor = "a" window = [0, 1, 0, 48, 0, 4, 0, 4]
// CHECK-NEXT: %a_1 = tile.alloc core 3 tensor = "a" window = [0, 1, 0, 48, 0, 4, 0, 4]
// CHECK-NEXT: %a_2 = tile.alloc core 5 tensor = "a" window = [0, 1, 0, 48, 0, 4, 0, 4]
// CHECK:      %out_1 = tile.view %a_1 offset = 16 : memref<1x4x4x48xi8, "local"> -> memref<1x4x4x16xi8, strided<[768, 192, 48, 1]>, "local">
// CHECK-NEXT: tile.epilogue core 3 {{.*}} -> %out_1
// CHECK-NEXT: tile.copy core 3 %a_1 -> %a source_offset = 16 source_strides = [48, 1] target_offset = 16 target_strides = [48, 1] sizes = [16, 16] group = 2 origin = "a"
// CHECK-NEXT: tile.copy core 3 %a_1 -> %a_2 source_offset = 16 source_strides = [48, 1] target_offset = 16 target_strides = [48, 1] sizes = [16, 16] group = 2 origin = "a"
// CHECK:      tile.conv2d core 0 %a,
// CHECK-NOT:  tile.copy {{.*}} -> %a
// CHECK:      tile.conv2d core 3 %a_1,
// CHECK:      tile.conv2d core 5 %a_2,
