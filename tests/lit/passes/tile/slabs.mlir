// RUN: smalti-opt %s -p tile-split-over-cores,tile-cut-to-local-memory | filecheck %s

// Two 3x3 convolutions are divided over the rows of two cores. What the first one computes are views of slabs, which have
// a row more than the core computes: the other core sends it. The second one reads its tile, halo and all, in place.
//
// Then a convolution is divided over channels, and the last one over rows again: each of its cores gathers the channels
// that both computed of its rows.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 16, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xf32, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [16, 16, 3, 3] order = [0, 1, 2, 3] : memref<16x16x3x3xf32, "global">
    %v = tile.global "v" segment = "weights" seed = 2 shape = [32, 16, 1, 1] order = [0, 1, 2, 3] : memref<32x16x1x1xf32, "global">
    %u = tile.global "u" segment = "weights" seed = 3 shape = [16, 32, 1, 1] order = [0, 1, 2, 3] : memref<16x32x1x1xf32, "global">
    %a = tile.global "a" segment = "scratch" shape = [1, 16, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xf32, "global">
    %b = tile.global "b" segment = "scratch" shape = [1, 16, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xf32, "global">
    %c = tile.global "c" segment = "scratch" shape = [1, 32, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x32xf32, "global">
    %y = tile.global "y" segment = "output" shape = [1, 16, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xf32, "global">
    tile.layer (%i = %x : memref<1x8x8x16xf32, "global"> as tensor<1x16x8x8xf32>, %k = %w : memref<16x16x3x3xf32, "global"> as tensor<16x16x3x3xf32>) -> %a : memref<1x8x8x16xf32, "global"> window = [0, 1, 0, 16, 0, 8, 0, 8] schedule = #tile.schedule<cores = [0, 1], split = [1, 1, 2, 1], tile = [1, 16, 4, 8], output = local> {
      %r = tpu.conv2d "a" %i, %k pads = [1, 1, 1, 1] accumulator = "f32" : (tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>) -> tensor<1x16x8x8xf32>
      tile.yield %r : tensor<1x16x8x8xf32>
    }
    tile.layer (%i = %a : memref<1x8x8x16xf32, "global"> as tensor<1x16x8x8xf32>, %k = %w : memref<16x16x3x3xf32, "global"> as tensor<16x16x3x3xf32>) -> %b : memref<1x8x8x16xf32, "global"> window = [0, 1, 0, 16, 0, 8, 0, 8] schedule = #tile.schedule<cores = [0, 1], split = [1, 1, 2, 1], tile = [1, 16, 4, 8], output = local> {
      %r = tpu.conv2d "b" %i, %k pads = [1, 1, 1, 1] accumulator = "f32" : (tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>) -> tensor<1x16x8x8xf32>
      tile.yield %r : tensor<1x16x8x8xf32>
    }
    tile.layer (%i = %b : memref<1x8x8x16xf32, "global"> as tensor<1x16x8x8xf32>, %k = %v : memref<32x16x1x1xf32, "global"> as tensor<32x16x1x1xf32>) -> %c : memref<1x8x8x32xf32, "global"> window = [0, 1, 0, 32, 0, 8, 0, 8] schedule = #tile.schedule<cores = [0, 1], split = [1, 2, 1, 1], tile = [1, 16, 8, 8], output = local> {
      %r = tpu.conv2d "c" %i, %k accumulator = "f32" : (tensor<1x16x8x8xf32>, tensor<32x16x1x1xf32>) -> tensor<1x32x8x8xf32>
      tile.yield %r : tensor<1x32x8x8xf32>
    }
    tile.layer (%i = %c : memref<1x8x8x32xf32, "global"> as tensor<1x32x8x8xf32>, %k = %u : memref<16x32x1x1xf32, "global"> as tensor<16x32x1x1xf32>) -> %y : memref<1x8x8x16xf32, "global"> window = [0, 1, 0, 16, 0, 8, 0, 8] schedule = #tile.schedule<cores = [0, 1], split = [1, 1, 2, 1], tile = [1, 16, 4, 8]> {
      %r = tpu.conv2d "y" %i, %k accumulator = "f32" : (tensor<1x32x8x8xf32>, tensor<16x32x1x1xf32>) -> tensor<1x16x8x8xf32>
      tile.yield %r : tensor<1x16x8x8xf32>
    }
  }
}

// CHECK-DAG: [[A1:%a[_0-9]*]] = tile.alloc core 1 tensor = "a" window = [0, 1, 0, 16, 3, 8, 0, 8]
// CHECK-DAG: [[A0:%a[_0-9]*]] = tile.alloc core 0 tensor = "a" window = [0, 1, 0, 16, 0, 5, 0, 8]

// Core 0 computes rows 0 to 3 and sends the last one, core 1 computes rows 4 to 7 and sends the first one.
// CHECK:      %out = tile.view [[A0]] : memref<1x5x8x16xf32, "local"> -> memref<1x4x8x16xf32, "local">
// CHECK-NEXT: tile.epilogue core 0 %acc, %a_table_tile -> %out
// CHECK-NEXT: tile.copy core 0 [[A0]] -> [[A1]] source_offset = 384 source_strides = [1] target_strides = [1] sizes = [128] origin = "a"
// CHECK:      %out_1 = tile.view [[A1]] offset = 128 :
// CHECK-NEXT: tile.epilogue core 1 %acc_1, %a_table_tile_1 -> %out_1
// CHECK-NEXT: tile.copy core 1 [[A1]] -> [[A0]] source_offset = 128 source_strides = [1] target_offset = 512 target_strides = [1] sizes = [128] origin = "a"

// The slabs of the second layer have all rows, which the third one needs on both cores.
// CHECK-DAG:  [[B1:%b[_0-9]*]] = tile.alloc core 1 tensor = "b" window = [0, 1, 0, 16, 0, 8, 0, 8]
// CHECK-DAG:  [[B0:%b[_0-9]*]] = tile.alloc core 0 tensor = "b" window = [0, 1, 0, 16, 0, 8, 0, 8]
// CHECK:      tile.conv2d core 0 [[A0]], {{.*}} pads = [1, 1] origin = "b"
// CHECK:      tile.copy core 0 [[B0]] -> [[B1]] source_strides = [1] target_strides = [1] sizes = [512] origin = "b"
// CHECK:      tile.conv2d core 1 [[A1]], {{.*}} pads = [0, 1] origin = "b"
// CHECK:      tile.copy core 1 [[B1]] -> [[B0]] source_offset = 512 source_strides = [1] target_offset = 512 target_strides = [1] sizes = [512] origin = "b"

// The rows that each core of the last layer reads are neither in the slabs of channels nor a box with them: they are
// gathered in buffers of their own, to which each core of the third layer sends its channels as soon as they are there.
// CHECK:      [[C0:%c[_0-9]*]] = tile.alloc core 0 tensor = "c" window = [0, 1, 0, 16, 0, 8, 0, 8]
// CHECK-NEXT: %c_part = tile.alloc core 0 : memref<1x4x8x32xf32, "local">
// CHECK-NEXT: %c_part_1 = tile.alloc core 1 : memref<1x4x8x32xf32, "local">
// CHECK:      tile.epilogue core 0 {{.*}} -> [[C0]]
// CHECK-NEXT: tile.copy core 0 [[C0]] -> %c_part source_strides = [16, 1] target_strides = [32, 1] sizes = [32, 16] origin = "c"
// CHECK-NEXT: tile.copy core 0 [[C0]] -> %c_part_1 source_offset = 512 source_strides = [16, 1] target_strides = [32, 1] sizes = [32, 16] origin = "c"
// CHECK-NEXT: [[C1:%c[_0-9]*]] = tile.alloc core 1 tensor = "c" window = [0, 1, 16, 32, 0, 8, 0, 8]
// CHECK:      tile.copy core 1 [[C1]] -> %c_part source_strides = [16, 1] target_offset = 16 target_strides = [32, 1] sizes = [32, 16] origin = "c"
// CHECK-NEXT: tile.copy core 1 [[C1]] -> %c_part_1 source_offset = 512 source_strides = [16, 1] target_offset = 16 target_strides = [32, 1] sizes = [32, 16] origin = "c"
// CHECK:      tile.conv2d core 0 %c_part,
// CHECK:      tile.conv2d core 1 %c_part_1,
