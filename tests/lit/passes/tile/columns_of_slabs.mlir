// RUN: smalti-opt %s -p "tile-split-over-cores,tile-cut-to-local-memory" | filecheck %s
// RUN: smalti-opt %s -p "tile-split-over-cores,tile-cut-to-local-memory,tile-order-engines,tile-assign-addresses,convert-tile-to-isa" | filecheck %s --check-prefix ISA

// Tiles of 16 of the 40 channels of a tensor that stays on chip are columns of its slab: nothing is copied, and the tile
// with the last channels writes the padding of each row.

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 4, 2, 2] order = [0, 1, 2, 3] : memref<1x4x2x2xf32, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [40, 4, 1, 1] order = [0, 1, 2, 3] : memref<40x4x1x1xi8, "global">
    %q = tile.global "q" segment = "scratch" shape = [1, 4, 2, 2] order = [0, 2, 3, 1] : memref<1x2x2x16xi8, "global">
    %c = tile.global "c" segment = "scratch" shape = [1, 40, 2, 2] order = [0, 2, 3, 1] : memref<1x2x2x48xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 40, 2, 2] order = [0, 1, 2, 3] : memref<1x40x2x2xf32, "global">
    tile.layer (%a = %x : memref<1x4x2x2xf32, "global"> as tensor<1x4x2x2xf32>) -> %q : memref<1x2x2x16xi8, "global"> window = [0, 1, 0, 4, 0, 2, 0, 2] schedule = #tile.schedule<cores = [0], output = local> {
      %r = tpu.cast "q" %a : (tensor<1x4x2x2xf32>) -> tensor<1x4x2x2x!quant.uniform<i8:f32, 0.05:-1>>
      tile.yield %r : tensor<1x4x2x2x!quant.uniform<i8:f32, 0.05:-1>>
    }
    tile.layer (%a = %q : memref<1x2x2x16xi8, "global"> as tensor<1x4x2x2x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<40x4x1x1xi8, "global"> as tensor<40x4x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %c : memref<1x2x2x48xi8, "global"> window = [0, 1, 0, 40, 0, 2, 0, 2] schedule = #tile.schedule<cores = [0], tile = [1, 16, 2, 2], output = local> {
      %r = tpu.conv2d "c" %a, %b accumulator = "i32" : (tensor<1x4x2x2x!quant.uniform<i8:f32, 0.05:-1>>, tensor<40x4x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x40x2x2x!quant.uniform<i8:f32, 0.1:5>>
      tile.yield %r : tensor<1x40x2x2x!quant.uniform<i8:f32, 0.1:5>>
    }
    tile.layer (%a = %c : memref<1x2x2x48xi8, "global"> as tensor<1x40x2x2x!quant.uniform<i8:f32, 0.1:5>>) -> %y : memref<1x40x2x2xf32, "global"> window = [0, 1, 0, 40, 0, 2, 0, 2] schedule = #tile.schedule<cores = [0]> {
      %r = tpu.cast "y" %a : (tensor<1x40x2x2x!quant.uniform<i8:f32, 0.1:5>>) -> tensor<1x40x2x2xf32>
      tile.yield %r : tensor<1x40x2x2xf32>
    }
  }
}

// CHECK:      %c = tile.alloc core 0 tensor = "c" window = [0, 1, 0, 40, 0, 2, 0, 2] order = [0, 2, 3, 1] : memref<1x2x2x48xi8, "local">
// CHECK:      %out = tile.view %c : memref<1x2x2x48xi8, "local"> -> memref<1x2x2x16xi8, strided<[192, 96, 48, 1]>, "local">
// CHECK-NEXT: tile.epilogue core 0 {{.*}} -> %out channels = 16
// CHECK-NOT:  -> %c {{[a-z:]}}
// CHECK:      tile.view %c offset = 16 : memref<1x2x2x48xi8, "local"> -> memref<1x2x2x16xi8, strided<[192, 96, 48, 1]>, "local">
// CHECK-NOT:  -> %c {{[a-z:]}}
// CHECK:      [[LAST:%.*]] = tile.view %c offset = 32 : memref<1x2x2x48xi8, "local"> -> memref<1x2x2x16xi8, strided<[192, 96, 48, 1]>, "local">
// CHECK-NEXT: tile.epilogue core 0 {{.*}} -> [[LAST]] channels = 8
// CHECK-NOT:  -> %c {{[a-z:]}}
// CHECK:      tile.permute core 0 %c ->

// ISA: epilogue {{.*}} rows=4, channels=16, acc_pitch=16, out_pitch=48, out_columns=16, table_pitch=16
// ISA: epilogue {{.*}} rows=4, channels=8, acc_pitch=16, out_pitch=48, out_columns=16, table_pitch=16
