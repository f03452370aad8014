// RUN: smalti-opt %s -p "tile-order-engines" | filecheck %s
// RUN: smalti-opt %s -p "tile-order-engines,tile-assign-addresses,convert-tile-to-isa" | filecheck %s --check-prefix=ISA

// Two tiles write four rows each of one buffer in place, and a third one reads two rows of both. The second load does not
// wait for the first tile; each view is declared after its buffer, where it is used first. A view that no step uses goes.

builtin.module attributes {smalti.target = "edge-1c", smalti.target_hash = "sha256:f987424c11ff92f3"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [8, 64] order = [0, 1] : memref<8x64xi8, "global">
    %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xi8, "global">
    %slab = tile.alloc core 0 : memref<8x64xi8, "local">
    %low = tile.view %slab : memref<8x64xi8, "local"> -> memref<4x64xi8, "local">
    %high = tile.view %slab offset = 256 : memref<8x64xi8, "local"> -> memref<4x64xi8, "local">
    %middle = tile.view %slab offset = 128 : memref<8x64xi8, "local"> -> memref<4x64xi8, "local">
    %unused = tile.view %slab offset = 64 : memref<8x64xi8, "local"> -> memref<4x64xi8, "local">
    %a = tile.alloc core 0 : memref<4x64xi8, "local">
    %b = tile.alloc core 0 : memref<4x64xi8, "local">
    %c = tile.alloc core 0 : memref<4x64xi8, "local">
    tile.copy core 0 %x -> %a source_strides = [1] target_strides = [1] sizes = [256] : memref<8x64xi8, "global"> -> memref<4x64xi8, "local">
    tile.convert core 0 %a -> %low columns = 64 multiplier = 1073741824 shift = 30 : memref<4x64xi8, "local"> -> memref<4x64xi8, "local">
    tile.copy core 0 %x -> %b source_offset = 256 source_strides = [1] target_strides = [1] sizes = [256] : memref<8x64xi8, "global"> -> memref<4x64xi8, "local">
    tile.convert core 0 %b -> %high columns = 64 multiplier = 1073741824 shift = 30 : memref<4x64xi8, "local"> -> memref<4x64xi8, "local">
    tile.convert core 0 %middle -> %c columns = 64 multiplier = 1073741824 shift = 30 : memref<4x64xi8, "local"> -> memref<4x64xi8, "local">
    tile.copy core 0 %c -> %y source_strides = [1] target_strides = [1] sizes = [256] : memref<4x64xi8, "local"> -> memref<4x64xi8, "global">
  }
}

// CHECK:      tile.copy core 0 %x -> %a
// CHECK-NEXT: %b = tile.alloc
// CHECK-NEXT: tile.copy core 0 %x -> %b
// CHECK-NEXT: %slab = tile.alloc
// CHECK-NEXT: %low = tile.view %slab :
// CHECK-NEXT: tile.convert core 0 %a -> %low
// CHECK-NEXT: %high = tile.view %slab offset = 256
// CHECK-NEXT: tile.convert core 0 %b -> %high
// CHECK-NEXT: %middle = tile.view %slab offset = 128
// CHECK-NEXT: %c = tile.alloc
// CHECK-NEXT: tile.convert core 0 %middle -> %c
// CHECK-NEXT: tile.copy core 0 %c -> %y
// CHECK-NOT:  %unused

// The buffer is at 0, its views at 0, 256 and 128.

// ISA:      v0: convert x=0x{{[0-9a-f]+}}, out=0x0,
// ISA:      v1: convert x=0x{{[0-9a-f]+}}, out=0x100,
// ISA:      v2: convert x=0x80, out=0x{{[0-9a-f]+}},
