// RUN: smalti-opt %s -p tile-split-over-cores,tile-cut-to-local-memory | filecheck %s

// Rows of 6 elements are padded to 16 with the zero point, 3. DMA engines fill bytes, and its two bytes differ: the
// padding is copied from a run of it, which stands for the padding of every row.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [3, 8, 6] order = [0, 1, 2] : memref<3x8x16xi16, "global">
    %t = tile.global "t" segment = "scratch" shape = [8, 3, 6] order = [0, 1, 2] : memref<8x3x16xi16, "global">
    %y = tile.global "y" segment = "output" shape = [8, 3, 6] order = [0, 1, 2] : memref<8x3x16xi16, "global">
    tile.layer (%i = %x : memref<3x8x16xi16, "global"> as tensor<3x8x6x!quant.uniform<i16:f32, 5.000000e-01:3>>) -> %t : memref<8x3x16xi16, "global"> window = [0, 8, 0, 3, 0, 6] schedule = #tile.schedule<cores = [0], output = local> {
      %r = tpu.transpose "t" %i permutation = [1, 0, 2] : (tensor<3x8x6x!quant.uniform<i16:f32, 5.000000e-01:3>>) -> tensor<8x3x6x!quant.uniform<i16:f32, 5.000000e-01:3>>
      tile.yield %r : tensor<8x3x6x!quant.uniform<i16:f32, 5.000000e-01:3>>
    }
    tile.layer (%i = %t : memref<8x3x16xi16, "global"> as tensor<8x3x6x!quant.uniform<i16:f32, 5.000000e-01:3>>) -> %y : memref<8x3x16xi16, "global"> window = [0, 8, 0, 3, 0, 6] schedule = #tile.schedule<cores = [0]> {
      %r = tpu.clamp "y" %i clamp_low = 0.0 : (tensor<8x3x6x!quant.uniform<i16:f32, 5.000000e-01:3>>) -> tensor<8x3x6x!quant.uniform<i16:f32, 5.000000e-01:3>>
      tile.yield %r : tensor<8x3x6x!quant.uniform<i16:f32, 5.000000e-01:3>>
    }
  }
}

// CHECK:      %t = tile.alloc core 0 tensor = "t"
// CHECK:      %padding = tile.alloc core 0 : memref<10xi16, "local">
// CHECK-NEXT: tile.fill core 0 -> %padding value = 3.0 origin = "t"
// CHECK-NEXT: tile.copy core 0 %padding -> %t source_strides = [0, 0, 1] target_offset = 6 target_strides = [48, 16, 1] sizes = [8, 3, 10] origin = "t"
// CHECK-NEXT: tile.copy core 0 %x_tile -> %t source_strides = [16, 128, 1] target_strides = [48, 16, 1] sizes = [8, 3, 6] origin = "t"
