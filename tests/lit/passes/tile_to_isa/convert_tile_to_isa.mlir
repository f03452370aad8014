// RUN: smalti-opt %s -p "convert-tile-to-isa" | filecheck %s

// Two cores: core 1 loads what core 0 stores, and waits for its signal. A box of rows becomes one strided load.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [4, 10] order = [0, 1] address = 0 : memref<4x10xf32, "global">
    %m = tile.global "m" segment = "scratch" shape = [4, 10] order = [0, 1] address = 0 : memref<4x16xi8, "global">
    %y = tile.global "y" segment = "output" shape = [4, 10] order = [0, 1] address = 0 : memref<4x10xi8, "global">
    %a = tile.alloc core 0 address = 0 : memref<4x10xf32, "local">
    %b = tile.alloc core 0 address = 192 : memref<4x16xi8, "local">
    %c = tile.alloc core 1 address = 0 : memref<4x16xi8, "local">
    %d = tile.alloc core 1 address = 64 : memref<4x16xi8, "local">
    tile.copy core 0 %x -> %a source_strides = [10, 1] target_strides = [10, 1] sizes = [4, 10] : memref<4x10xf32, "global"> -> memref<4x10xf32, "local"> loc("load")
    tile.convert core 0 %a -> %b columns = 10 scale = 0.5 zero_points = [0, 3] : memref<4x10xf32, "local"> -> memref<4x16xi8, "local"> loc("quantize")
    tile.copy core 0 %b -> %m source_strides = [1] target_strides = [1] sizes = [64] : memref<4x16xi8, "local"> -> memref<4x16xi8, "global"> loc("store")
    tile.copy core 1 %m -> %c source_offset = 16 source_strides = [16, 1] target_offset = 16 target_strides = [16, 1] sizes = [3, 10] pad = 6 pad_value = -2 : memref<4x16xi8, "global"> -> memref<4x16xi8, "local"> loc("halo")
    tile.fill core 1 -> %d value = 1.0 : memref<4x16xi8, "local">
    tile.copy core 1 %c -> %y source_offset = 16 source_strides = [16, 1] target_offset = 10 target_strides = [10, 1] sizes = [3, 10] : memref<4x16xi8, "local"> -> memref<4x10xi8, "global">
    tile.copy core 1 %d -> %y source_strides = [1] target_strides = [1] sizes = [10] : memref<4x16xi8, "local"> -> memref<4x10xi8, "global">
  }
}

// CHECK:      isa.program @main target("default-8c", {{.*}}) counters(1)
// CHECK-NEXT:     segments(weights = 0, input = 192, output = 64, scratch = 64)
// CHECK-NEXT:     inputs("x" f32[4, 10] at 0)
// CHECK-NEXT:     outputs("y" i8[4, 10] at 0) {
// CHECK-NEXT:   isa.stream core(0) local(256) acc(0) {
// CHECK-NEXT:     d0: load src_space=global, dst_space=local, src_segment=input, src=0x0, dst=0x0, run=160
// CHECK-NEXT:     v0: convert x=0x0, out=0xc0, in_type=f32, out_type=i8, rows=4, columns=10, in_pitch=10, out_pitch=16, scale=0.5, zero_point_out=3 after d0
// CHECK-NEXT:     s0: store src_space=local, dst_space=global, dst_segment=scratch, src=0xc0, dst=0x0, run=64 after v0 signal c0@{1}
// CHECK-NEXT:   }
// CHECK-NEXT:   isa.stream core(1) local(128) acc(0) {
// CHECK-NEXT:     d0: load src_space=global, dst_space=local, src_segment=scratch, src=0x10, dst=0x10, run=10, pad=6, fill=254, count0=3, src_stride0=16, dst_stride0=16 wait c0>=1
// CHECK-NEXT:     d1: fill dst=0x40, count=64, type=i8, value=1.0
// CHECK-NEXT:     s0: store src_space=local, dst_space=global, dst_segment=output, src=0x10, dst=0xa, run=10, count0=3, src_stride0=16, dst_stride0=10 after d0
// CHECK-NEXT:     s1: store src_space=local, dst_space=global, dst_segment=output, src=0x40, dst=0x0, run=10 after d1
// CHECK-NEXT:   }
// CHECK-NEXT: }
