// RUN: smalti-opt %s -p "convert-tile-to-isa" | filecheck %s

// Core 0 sends %a to the cores 1 and 2 and to its own %c. Both receivers' memories are read by two engines before, so
// that each copy waits for two counters: the syncs stand before the first store, as nothing may stand between stores of
// a multicast. Copies that take several transfers send the first ones together, then the second ones.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [64] order = [0] address = 0 : memref<64xi8, "global">
    %y = tile.global "y" segment = "output" shape = [192] order = [0] address = 0 : memref<192xi8, "global">
    %a = tile.alloc core 0 address = 0 : memref<64xi8, "local">
    %c = tile.alloc core 0 address = 64 : memref<64xi8, "local">
    %b1 = tile.alloc core 1 address = 0 : memref<64xi8, "local">
    %t1 = tile.alloc core 1 address = 64 : memref<64xi8, "local">
    %b2 = tile.alloc core 2 address = 128 : memref<64xi8, "local">
    %t2 = tile.alloc core 2 address = 64 : memref<64xi8, "local">
    tile.copy core 0 %x -> %a source_strides = [1] target_strides = [1] sizes = [64] : memref<64xi8, "global"> -> memref<64xi8, "local">
    tile.fill core 1 -> %b1 value = 1.0 : memref<64xi8, "local">
    tile.fill core 2 -> %b2 value = 2.0 : memref<64xi8, "local">
    tile.copy core 1 %b1 -> %y source_strides = [1] target_strides = [1] sizes = [64] : memref<64xi8, "local"> -> memref<192xi8, "global">
    tile.copy core 2 %b2 -> %y source_strides = [1] target_offset = 64 target_strides = [1] sizes = [64] : memref<64xi8, "local"> -> memref<192xi8, "global">
    tile.permute core 1 %b1 -> %t1 sizes = [1, 8, 8] : memref<64xi8, "local"> -> memref<64xi8, "local">
    tile.permute core 2 %b2 -> %t2 sizes = [1, 8, 8] : memref<64xi8, "local"> -> memref<64xi8, "local">
    tile.copy core 0 %a -> %b1 source_strides = [1] target_strides = [1] sizes = [64] group = 5 : memref<64xi8, "local"> -> memref<64xi8, "local">
    tile.copy core 0 %a -> %c source_strides = [1] target_strides = [1] sizes = [64] group = 5 : memref<64xi8, "local"> -> memref<64xi8, "local">
    tile.copy core 0 %a -> %b2 source_strides = [1] target_strides = [1] sizes = [64] group = 5 : memref<64xi8, "local"> -> memref<64xi8, "local">
    tile.copy core 2 %b2 -> %y source_strides = [1] target_offset = 128 target_strides = [1] sizes = [64] : memref<64xi8, "local"> -> memref<192xi8, "global">
    tile.copy core 0 %a -> %b1 source_strides = [32, 16, 8, 4, 2, 1] target_strides = [1, 2, 4, 8, 16, 1] sizes = [2, 2, 2, 2, 2, 1] group = 7 : memref<64xi8, "local"> -> memref<64xi8, "local">
    tile.copy core 0 %a -> %b2 source_strides = [32, 16, 8, 4, 2, 1] target_strides = [1, 2, 4, 8, 16, 1] sizes = [2, 2, 2, 2, 2, 1] group = 7 : memref<64xi8, "local"> -> memref<64xi8, "local">
  }
}

// CHECK:          isa.stream core(0) local(128) acc(0) {
// CHECK-NEXT:       d0: load src_space=global, dst_space=local, src_segment=input, src=0x0, dst=0x0, run=64
// CHECK-NEXT:       s0: sync engine=dma_out wait c2>=1
// CHECK-NEXT:       s1: sync engine=dma_out wait c4>=1
// CHECK-NEXT:       s2: store src_space=local, dst_space=local, peer_core=2, src=0x0, dst=0x0, run=64, group=1 after d0 wait c1>=1
// CHECK-NEXT:       s3: store src_space=local, dst_space=local, src=0x0, dst=0x40, run=64, group=1
// CHECK-NEXT:       s4: store src_space=local, dst_space=local, peer_core=3, src=0x0, dst=0x80, run=64, group=1 wait c3>=1 signal c0@{2}
// CHECK-NEXT:       s5: store src_space=local, dst_space=local, peer_core=2, src=0x0, dst=0x0, run=1, count0=2, count1=2, count2=2, count3=2, src_stride0=16, src_stride1=8, src_stride2=4, src_stride3=2, dst_stride0=2, dst_stride1=4, dst_stride2=8, dst_stride3=16, group=2
// CHECK-NEXT:       s6: store src_space=local, dst_space=local, peer_core=3, src=0x0, dst=0x80, run=1, count0=2, count1=2, count2=2, count3=2, src_stride0=16, src_stride1=8, src_stride2=4, src_stride3=2, dst_stride0=2, dst_stride1=4, dst_stride2=8, dst_stride3=16, group=2 wait c3>=2
// CHECK-NEXT:       s7: store src_space=local, dst_space=local, peer_core=2, src=0x20, dst=0x1, run=1, count0=2, count1=2, count2=2, count3=2, src_stride0=16, src_stride1=8, src_stride2=4, src_stride3=2, dst_stride0=2, dst_stride1=4, dst_stride2=8, dst_stride3=16, group=3
// CHECK-NEXT:       s8: store src_space=local, dst_space=local, peer_core=3, src=0x20, dst=0x81, run=1, count0=2, count1=2, count2=2, count3=2, src_stride0=16, src_stride1=8, src_stride2=4, src_stride3=2, dst_stride0=2, dst_stride1=4, dst_stride2=8, dst_stride3=16, group=3
// CHECK-NEXT:     }
