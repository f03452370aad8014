// RUN: smalti-opt %s --split-input-file --verify-diagnostics -p convert-tile-to-isa

// A buffer of a core that no step has written, or only a part of it, holds bytes of an older one.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %y = tile.global "y" segment = "output" shape = [64] order = [0] address = 0 : memref<64xi8, "global">
    %a = tile.alloc core 0 address = 0 : memref<64xi8, "local">
    // expected-error @below {{tile.copy: reads %a of type memref<64xi8, "local">, which no step writes}}
    tile.copy core 0 %a -> %y source_strides = [1] target_strides = [1] sizes = [64] : memref<64xi8, "local"> -> memref<64xi8, "global">
  }
}

// -----

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %y = tile.global "y" segment = "output" shape = [64] order = [0] address = 0 : memref<64xi8, "global">
    %a = tile.alloc core 0 address = 0 : memref<64xi8, "local">
    // expected-error @below {{tile.copy: reads %a of type memref<64xi8, "local">, which a step writes only later}}
    tile.copy core 0 %a -> %y source_strides = [1] target_strides = [1] sizes = [64] : memref<64xi8, "local"> -> memref<64xi8, "global">
    tile.fill core 0 -> %a value = 1.0 : memref<64xi8, "local">
  }
}

// -----

// Sums are added to accumulators that nothing has set.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.alloc core 0 address = 0 : memref<1x4x16xi8, "local">
    %w = tile.alloc core 0 address = 64 : memref<1x1x16x16xi8, "local">
    %acc = tile.alloc core 0 address = 0 : memref<1x4x16xi32, "acc">
    tile.fill core 0 -> %x value = 1.0 : memref<1x4x16xi8, "local">
    tile.fill core 0 -> %w value = 1.0 : memref<1x1x16x16xi8, "local">
    // expected-error @below {{tile.matmul: reads %acc of type memref<1x4x16xi32, "acc">, which no step writes}}
    tile.matmul core 0 %x, %w -> %acc depth = 16 columns = 16 accumulate : memref<1x4x16xi8, "local">, memref<1x1x16x16xi8, "local"> -> memref<1x4x16xi32, "acc">
  }
}

// -----

// A value between layers that no step writes, as where the layer that does was deleted: its bytes in global memory are
// those of an older value.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [64] order = [0] address = 0 : memref<64xi8, "global">
    %older = tile.global "older" segment = "scratch" shape = [64] order = [0] address = 0 : memref<64xi8, "global">
    %mid = tile.global "mid" segment = "scratch" shape = [64] order = [0] address = 0 : memref<64xi8, "global">
    %y = tile.global "y" segment = "output" shape = [64] order = [0] address = 0 : memref<64xi8, "global">
    %a = tile.alloc core 0 address = 0 : memref<64xi8, "local">
    %b = tile.alloc core 0 address = 64 : memref<64xi8, "local">
    tile.copy core 0 %x -> %a source_strides = [1] target_strides = [1] sizes = [64] : memref<64xi8, "global"> -> memref<64xi8, "local">
    tile.copy core 0 %a -> %older source_strides = [1] target_strides = [1] sizes = [64] : memref<64xi8, "local"> -> memref<64xi8, "global">
    // expected-error @below {{tile.copy: reads 'mid' of type memref<64xi8, "global">, which no step writes}}
    tile.copy core 0 %mid -> %b source_strides = [1] target_strides = [1] sizes = [64] : memref<64xi8, "global"> -> memref<64xi8, "local">
    tile.copy core 0 %b -> %y source_strides = [1] target_strides = [1] sizes = [64] : memref<64xi8, "local"> -> memref<64xi8, "global">
  }
}

// -----

// A buffer that is loaded in parts, as a tile with a halo: the last row was forgotten.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 4, 8, 16] order = [0, 1, 2, 3] address = 0 : memref<1x4x8x16xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 2, 4, 16] order = [0, 1, 2, 3] address = 0 : memref<1x2x4x16xi8, "global">
    %a = tile.alloc core 0 address = 0 : memref<1x4x8x16xi8, "local">
    %b = tile.alloc core 0 address = 512 : memref<1x2x4x16xi8, "local">
    tile.copy core 0 %x -> %a source_strides = [128, 1] target_strides = [128, 1] sizes = [2, 128] : memref<1x4x8x16xi8, "global"> -> memref<1x4x8x16xi8, "local">
    tile.copy core 0 %x -> %a source_offset = 256 source_strides = [1] target_offset = 256 target_strides = [1] sizes = [128] : memref<1x4x8x16xi8, "global"> -> memref<1x4x8x16xi8, "local">
    // expected-error @below {{tile.pool: reads window [0, 1, 3, 4, 0, 8, 0, 16] of %a of type memref<1x4x8x16xi8, "local">, which no step above writes (128 bytes)}}
    tile.pool core 0 %a -> %b kind = "max" kernel = [2, 2] strides = [2, 2] : memref<1x4x8x16xi8, "local"> -> memref<1x2x4x16xi8, "local">
    tile.copy core 0 %b -> %y source_strides = [1] target_strides = [1] sizes = [128] : memref<1x2x4x16xi8, "local"> -> memref<1x2x4x16xi8, "global">
  }
}

// -----

// Lanes between channels 10 and 16 of an image are not written; a store of 12 channels reads two of them.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [4, 10] order = [0, 1] address = 0 : memref<4x10xf32, "global">
    %y = tile.global "y" segment = "output" shape = [4, 12] order = [0, 1] address = 0 : memref<4x12xf32, "global">
    %a = tile.alloc core 0 address = 0 : memref<4x16xf32, "local">
    tile.copy core 0 %x -> %a source_strides = [10, 1] target_strides = [16, 1] sizes = [4, 10] : memref<4x10xf32, "global"> -> memref<4x16xf32, "local">
    // expected-error @below {{tile.copy: reads window [0, 4, 10, 12] of %a of type memref<4x16xf32, "local">, which no step above writes (32 bytes)}}
    tile.copy core 0 %a -> %y source_strides = [16, 1] target_strides = [12, 1] sizes = [4, 12] : memref<4x16xf32, "local"> -> memref<4x12xf32, "global">
  }
}

// -----

// An instruction that passes over those lanes does not mind.

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [4, 10] order = [0, 1] address = 0 : memref<4x10xf32, "global">
    %y = tile.global "y" segment = "output" shape = [4, 10] order = [0, 1] address = 0 : memref<4x10xf32, "global">
    %a = tile.alloc core 0 address = 0 : memref<4x16xf32, "local">
    %b = tile.alloc core 0 address = 256 : memref<4x16xf32, "local">
    tile.copy core 0 %x -> %a source_strides = [10, 1] target_strides = [16, 1] sizes = [4, 10] : memref<4x10xf32, "global"> -> memref<4x16xf32, "local">
    tile.unary core 0 %a -> %b kind = "abs" columns = 10 : memref<4x16xf32, "local"> -> memref<4x16xf32, "local">
    tile.copy core 0 %b -> %y source_strides = [16, 1] target_strides = [10, 1] sizes = [4, 10] : memref<4x16xf32, "local"> -> memref<4x10xf32, "global">
  }
}
