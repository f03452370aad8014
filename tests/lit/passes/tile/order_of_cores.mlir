// RUN: smalti-opt %s -p tile-order-engines | filecheck %s

// Core 1 waits for what core 0 makes; its load of weights, which stands behind in the program, need not. The steps of both
// cores come into the order of their times.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64] order = [0, 1] : memref<1x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [1, 64] order = [0, 1] : memref<1x64xi8, "global">
    %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xi8, "global">
    %a = tile.alloc core 0 : memref<1x64xi8, "local">
    %b = tile.alloc core 0 tensor = "b" window = [0, 1, 0, 64] order = [0, 1] : memref<1x64xi8, "local">
    %c = tile.alloc core 0 : memref<1x64xi8, "local">
    tile.copy core 0 %x -> %a source_strides = [1] target_strides = [1] sizes = [64] : memref<1x64xi8, "global"> -> memref<1x64xi8, "local">
    tile.convert core 0 %a -> %b columns = 64 multiplier = 1073741824 shift = 30 : memref<1x64xi8, "local"> -> memref<1x64xi8, "local">
    tile.convert core 0 %b -> %c columns = 64 multiplier = 1073741824 shift = 30 : memref<1x64xi8, "local"> -> memref<1x64xi8, "local">
    tile.copy core 0 %c -> %y source_strides = [1] target_strides = [1] sizes = [64] : memref<1x64xi8, "local"> -> memref<2x64xi8, "global">
    %d = tile.alloc core 1 : memref<1x64xi8, "local">
    %e = tile.alloc core 1 : memref<1x64xi8, "local">
    %f = tile.alloc core 1 : memref<1x64xi8, "local">
    tile.copy core 1 %b -> %d source_strides = [1] target_strides = [1] sizes = [64] : memref<1x64xi8, "local"> -> memref<1x64xi8, "local">
    tile.copy core 1 %w -> %e source_strides = [1] target_strides = [1] sizes = [64] : memref<1x64xi8, "global"> -> memref<1x64xi8, "local">
    tile.binary core 1 %d, %e -> %f kind = "add" zero_points = [0, 0, 0] multipliers = [1073741824, 1073741824] shift = 30 : memref<1x64xi8, "local">, memref<1x64xi8, "local"> -> memref<1x64xi8, "local">
    tile.copy core 1 %f -> %y source_strides = [1] target_offset = 64 target_strides = [1] sizes = [64] : memref<1x64xi8, "local"> -> memref<2x64xi8, "global">
  }
}

// CHECK:      tile.copy core 0 %x -> %a
// CHECK:      tile.convert core 0 %a -> %b
// CHECK:      tile.convert core 0 %b -> %c
// CHECK:      tile.copy core 1 %w -> %e
// CHECK:      tile.copy core 1 %b -> %d
// CHECK:      tile.copy core 0 %c -> %y
// CHECK:      tile.binary core 1 %d, %e -> %f
