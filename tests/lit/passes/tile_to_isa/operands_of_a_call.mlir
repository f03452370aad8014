// RUN: smalti-opt %s -p "convert-tile-to-isa" --verify-diagnostics

builtin.module attributes {smalti.target = "edge-1c", smalti.target_hash = "sha256:f987424c11ff92f3"} {
  tile.program @apart {
    %a = tile.global "a" segment = "scratch" shape = [4] order = [0] address = 0 : memref<4xi64, "global">
    %b = tile.global "b" segment = "scratch" shape = [4] order = [0] address = 128 : memref<4xi64, "global">
    %y = tile.global "y" segment = "output" shape = [4] order = [0] address = 0 : memref<4xi64, "global">
    %x = tile.alloc core 0 address = 0 : memref<4xi64, "local">
    tile.fill core 0 -> %x value = 1.0 : memref<4xi64, "local">
    tile.copy core 0 %x -> %a source_strides = [1] target_strides = [1] sizes = [4] : memref<4xi64, "local"> -> memref<4xi64, "global">
    tile.copy core 0 %x -> %b source_strides = [1] target_strides = [1] sizes = [4] : memref<4xi64, "local"> -> memref<4xi64, "global">
    // expected-error @below {{tile.host_call: operand 1 is at 128, it must be at 64: the host takes operands that lie one after the other}}
    tile.host_call core 0 %a, %b -> %y function = "add" : memref<4xi64, "global">, memref<4xi64, "global"> -> memref<4xi64, "global">
  }
}
