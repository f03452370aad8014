// RUN: smalti-opt %s -p "tile-order-engines" | filecheck %s
// RUN: smalti-opt %s -p "tile-order-engines{prefetch=0}" | filecheck %s --check-prefix=NONE

// The load of the second tile moves before the conversion of the first; the third load reads what the first tile stores.

builtin.module attributes {smalti.target = "edge-1c", smalti.target_hash = "sha256:f987424c11ff92f3"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xi8, "global">
    %m = tile.global "m" segment = "scratch" shape = [1, 64] order = [0, 1] : memref<1x64xi8, "global">
    %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xi8, "global">
    %a = tile.alloc core 0 : memref<1x64xi8, "local">
    %b = tile.alloc core 0 : memref<1x64xi8, "local">
    tile.copy core 0 %x -> %a source_strides = [1] target_strides = [1] sizes = [64] : memref<2x64xi8, "global"> -> memref<1x64xi8, "local">
    tile.convert core 0 %a -> %b columns = 64 multiplier = 1073741824 shift = 30 : memref<1x64xi8, "local"> -> memref<1x64xi8, "local">
    tile.copy core 0 %b -> %m source_strides = [1] target_strides = [1] sizes = [64] : memref<1x64xi8, "local"> -> memref<1x64xi8, "global">
    %c = tile.alloc core 0 : memref<1x64xi8, "local">
    %d = tile.alloc core 0 : memref<1x64xi8, "local">
    tile.copy core 0 %x -> %c source_offset = 64 source_strides = [1] target_strides = [1] sizes = [64] : memref<2x64xi8, "global"> -> memref<1x64xi8, "local">
    tile.convert core 0 %c -> %d columns = 64 multiplier = 1073741824 shift = 30 : memref<1x64xi8, "local"> -> memref<1x64xi8, "local">
    tile.copy core 0 %d -> %y source_strides = [1] target_offset = 64 target_strides = [1] sizes = [64] : memref<1x64xi8, "local"> -> memref<2x64xi8, "global">
    %e = tile.alloc core 0 : memref<1x64xi8, "local">
    tile.copy core 0 %m -> %e source_strides = [1] target_strides = [1] sizes = [64] : memref<1x64xi8, "global"> -> memref<1x64xi8, "local">
    tile.copy core 0 %e -> %y source_strides = [1] target_strides = [1] sizes = [64] : memref<1x64xi8, "local"> -> memref<2x64xi8, "global">
  }
}

// CHECK:      tile.copy core 0 %x -> %a
// CHECK-NEXT: %c = tile.alloc
// CHECK-NEXT: tile.copy core 0 %x -> %c
// CHECK-NEXT: %b = tile.alloc
// CHECK-NEXT: tile.convert core 0 %a -> %b
// CHECK-NEXT: tile.copy core 0 %b -> %m
// CHECK-NEXT: %d = tile.alloc
// CHECK-NEXT: tile.convert core 0 %c -> %d
// CHECK-NEXT: tile.copy core 0 %d -> %y
// CHECK-NEXT: %e = tile.alloc
// CHECK-NEXT: tile.copy core 0 %m -> %e
// CHECK-NEXT: tile.copy core 0 %e -> %y

// NONE:      tile.copy core 0 %x -> %a
// NONE-NEXT: tile.convert core 0 %a -> %b
// NONE-NEXT: tile.copy core 0 %b -> %m
// NONE-NEXT: %c = tile.alloc
