// RUN: smalti-opt %s -p "tile-split-over-cores,tile-cut-to-local-memory" | filecheck %s

// Two tensors of 24 and 8 channels are joined, and the second one is cut out again. All of them lie in the buffer of the
// joined one, so that only the convolutions compute, and nothing is copied between them: each reads and writes its
// channels of the rows. The last part writes what pads them.

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 16, 2, 2] order = [0, 2, 3, 1] : memref<1x2x2x16xf32, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [24, 16, 1, 1] order = [0, 1, 2, 3] : memref<24x16x1x1xf32, "global">
    %v = tile.global "v" segment = "weights" seed = 2 shape = [12, 24, 1, 1] order = [0, 1, 2, 3] : memref<12x24x1x1xf32, "global">
    %a = tile.global "a" segment = "scratch" shape = [1, 24, 2, 2] order = [0, 2, 3, 1] : memref<1x2x2x32xf32, "global">
    %b = tile.global "b" segment = "scratch" shape = [1, 12, 2, 2] order = [0, 2, 3, 1] : memref<1x2x2x16xf32, "global">
    %ab = tile.global "ab" segment = "scratch" shape = [1, 36, 2, 2] order = [0, 2, 3, 1] : memref<1x2x2x48xf32, "global">
    %s = tile.global "s" segment = "scratch" shape = [1, 12, 2, 2] order = [0, 2, 3, 1] : memref<1x2x2x16xf32, "global">
    %y = tile.global "y" segment = "output" shape = [1, 12, 2, 2] order = [0, 2, 3, 1] : memref<1x2x2x16xf32, "global">
    tile.layer (%i = %x : memref<1x2x2x16xf32, "global"> as tensor<1x16x2x2xf32>, %k = %w : memref<24x16x1x1xf32, "global"> as tensor<24x16x1x1xf32>) -> %a : memref<1x2x2x32xf32, "global"> window = [0, 1, 0, 24, 0, 2, 0, 2] schedule = #tile.schedule<cores = [0], output = in_place> {
      %r = tpu.conv2d "a" %i, %k accumulator = "f32" : (tensor<1x16x2x2xf32>, tensor<24x16x1x1xf32>) -> tensor<1x24x2x2xf32>
      tile.yield %r : tensor<1x24x2x2xf32>
    }
    tile.layer (%i = %a : memref<1x2x2x32xf32, "global"> as tensor<1x24x2x2xf32>, %k = %v : memref<12x24x1x1xf32, "global"> as tensor<12x24x1x1xf32>) -> %b : memref<1x2x2x16xf32, "global"> window = [0, 1, 0, 12, 0, 2, 0, 2] schedule = #tile.schedule<cores = [0], output = in_place> {
      %r = tpu.conv2d "b" %i, %k accumulator = "f32" : (tensor<1x24x2x2xf32>, tensor<12x24x1x1xf32>) -> tensor<1x12x2x2xf32>
      tile.yield %r : tensor<1x12x2x2xf32>
    }
    tile.layer (%i = %a : memref<1x2x2x32xf32, "global"> as tensor<1x24x2x2xf32>, %j = %b : memref<1x2x2x16xf32, "global"> as tensor<1x12x2x2xf32>) -> %ab : memref<1x2x2x48xf32, "global"> window = [0, 1, 0, 36, 0, 2, 0, 2] schedule = #tile.schedule<cores = [0], output = local> {
      %r = tpu.concat "ab" %i, %j axis = 1 : (tensor<1x24x2x2xf32>, tensor<1x12x2x2xf32>) -> tensor<1x36x2x2xf32>
      tile.yield %r : tensor<1x36x2x2xf32>
    }
    tile.layer (%i = %ab : memref<1x2x2x48xf32, "global"> as tensor<1x36x2x2xf32>) -> %s : memref<1x2x2x16xf32, "global"> window = [0, 1, 0, 12, 0, 2, 0, 2] schedule = #tile.schedule<cores = [0], output = in_place> {
      %r = tpu.slice "s" %i starts = [0, 24, 0, 0] sizes = [1, 12, 2, 2] steps = [1, 1, 1, 1] : (tensor<1x36x2x2xf32>) -> tensor<1x12x2x2xf32>
      tile.yield %r : tensor<1x12x2x2xf32>
    }
    tile.layer (%i = %s : memref<1x2x2x16xf32, "global"> as tensor<1x12x2x2xf32>) -> %y : memref<1x2x2x16xf32, "global"> window = [0, 1, 0, 12, 0, 2, 0, 2] schedule = #tile.schedule<cores = [0]> {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<1x12x2x2xf32>) -> tensor<1x12x2x2xf32>
      tile.yield %r : tensor<1x12x2x2xf32>
    }
  }
}

// CHECK:      %ab = tile.alloc core 0 tensor = "ab" window = [0, 1, 0, 36, 0, 2, 0, 2] order = [0, 2, 3, 1] : memref<1x2x2x48xf32, "local">
// CHECK:      %out = tile.view %ab : memref<1x2x2x48xf32, "local"> -> memref<1x2x2x24xf32, strided<[192, 96, 48, 1]>, "local">
// CHECK-NEXT: tile.epilogue core 0 {{.*}} -> %out channels = 24
// CHECK-NOT:  origin = "ab"
// CHECK:      %a_tile = tile.view %ab : memref<1x2x2x48xf32, "local"> -> memref<1x2x2x24xf32, strided<[192, 96, 48, 1]>, "local">
// CHECK-NEXT: tile.alloc
// CHECK-NEXT: tile.conv2d core 0 %a_tile, {{.*}} channels = [24, 12]
// CHECK:      [[B:%.*]] = tile.view %ab offset = 24 : memref<1x2x2x48xf32, "local"> -> memref<1x2x2x24xf32, strided<[192, 96, 48, 1]>, "local">
// CHECK-NEXT: tile.epilogue core 0 {{.*}} -> [[B]] channels = 12
// CHECK-NOT:  origin = "ab"
// CHECK-NOT:  origin = "s"
// CHECK:      %s_tile = tile.view %ab offset = 24 : memref<1x2x2x48xf32, "local"> -> memref<1x2x2x16xf32, strided<[192, 96, 48, 1]>, "local">
// CHECK:      tile.unary core 0 %s_tile -> {{.*}} columns = 12
