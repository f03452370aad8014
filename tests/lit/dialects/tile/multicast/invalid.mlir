// RUN: smalti-opt %s --split-input-file --verify-diagnostics

tile.program @main {
  %w = tile.global "w" segment = "weights" seed = 1 shape = [64] order = [0] : memref<64xi8, "global">
  %v = tile.global "v" segment = "weights" seed = 2 shape = [64] order = [0] : memref<64xi8, "global">
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %b = tile.alloc core 1 : memref<64xi8, "local">
  // expected-error @below {{'tile.copy': group must be at least 1, got 0}}
  tile.copy core 0 %w -> %a source_strides = [1] target_strides = [1] sizes = [64] group = 0 : memref<64xi8, "global"> -> memref<64xi8, "local">
}

// -----

tile.program @main {
  %w = tile.global "w" segment = "weights" seed = 1 shape = [64] order = [0] : memref<64xi8, "global">
  %v = tile.global "v" segment = "weights" seed = 2 shape = [64] order = [0] : memref<64xi8, "global">
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %b = tile.alloc core 1 : memref<64xi8, "local">
  // expected-error @below {{'tile.copy': a multicast reads global memory, or the local memory of its own core}}
  tile.copy core 1 %a -> %b source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "local"> -> memref<64xi8, "local">
}

// -----

// Core 0 would wait for group 1, core 1 for group 2.
tile.program @main {
  %w = tile.global "w" segment = "weights" seed = 1 shape = [64] order = [0] : memref<64xi8, "global">
  %v = tile.global "v" segment = "weights" seed = 2 shape = [64] order = [0] : memref<64xi8, "global">
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %b = tile.alloc core 1 : memref<64xi8, "local">
  tile.copy core 0 %w -> %a source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "global"> -> memref<64xi8, "local">
  tile.copy core 1 %w -> %b source_strides = [1] target_strides = [1] sizes = [64] group = 2 : memref<64xi8, "global"> -> memref<64xi8, "local">
  // expected-error @below {{multicast group 1 has copies further up, with other steps between: its copies start together and stand side by side}}
  tile.copy core 1 %w -> %b source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "global"> -> memref<64xi8, "local">
  tile.copy core 0 %w -> %a source_strides = [1] target_strides = [1] sizes = [64] group = 2 : memref<64xi8, "global"> -> memref<64xi8, "local">
}

// -----

tile.program @main {
  %w = tile.global "w" segment = "weights" seed = 1 shape = [64] order = [0] : memref<64xi8, "global">
  %v = tile.global "v" segment = "weights" seed = 2 shape = [64] order = [0] : memref<64xi8, "global">
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %b = tile.alloc core 1 : memref<64xi8, "local">
  tile.copy core 0 %w -> %a source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "global"> -> memref<64xi8, "local">
  // expected-error @below {{multicast group 1 has two copies to core 0}}
  tile.copy core 0 %w -> %a source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "global"> -> memref<64xi8, "local">
}

// -----

tile.program @main {
  %w = tile.global "w" segment = "weights" seed = 1 shape = [64] order = [0] : memref<64xi8, "global">
  %v = tile.global "v" segment = "weights" seed = 2 shape = [64] order = [0] : memref<64xi8, "global">
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %b = tile.alloc core 1 : memref<64xi8, "local">
  tile.copy core 0 %w -> %a source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "global"> -> memref<64xi8, "local">
  // expected-error @below {{the copies of multicast group 1 read different buffers}}
  tile.copy core 1 %v -> %b source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "global"> -> memref<64xi8, "local">
}

// -----

tile.program @main {
  %w = tile.global "w" segment = "weights" seed = 1 shape = [64] order = [0] : memref<64xi8, "global">
  %v = tile.global "v" segment = "weights" seed = 2 shape = [64] order = [0] : memref<64xi8, "global">
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %b = tile.alloc core 1 : memref<64xi8, "local">
  tile.copy core 0 %w -> %a source_strides = [1] target_strides = [1] sizes = [32] group = 1 : memref<64xi8, "global"> -> memref<64xi8, "local">
  // expected-error @below {{the copies of multicast group 1 differ in 'source_offset'}}
  tile.copy core 1 %w -> %b source_offset = 32 source_strides = [1] target_strides = [1] sizes = [32] group = 1 : memref<64xi8, "global"> -> memref<64xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %b = tile.alloc core 1 : memref<64xi8, "local">
  %c = tile.alloc core 2 : memref<64xi8, "local">
  %d = tile.alloc core 0 : memref<64xi8, "local">
  %y = tile.global "y" segment = "scratch" shape = [64] order = [0] : memref<64xi8, "global">
  // expected-error @below {{'tile.copy': a multicast from local memory writes local memories}}
  tile.copy core 0 %a -> %y source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "local"> -> memref<64xi8, "global">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %b = tile.alloc core 1 : memref<64xi8, "local">
  %c = tile.alloc core 2 : memref<64xi8, "local">
  %d = tile.alloc core 0 : memref<64xi8, "local">
  %y = tile.global "y" segment = "scratch" shape = [64] order = [0] : memref<64xi8, "global">
  tile.copy core 0 %a -> %b source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "local"> -> memref<64xi8, "local">
  // expected-error @below {{multicast group 1 has two copies to core 1}}
  tile.copy core 0 %a -> %b source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "local"> -> memref<64xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %b = tile.alloc core 1 : memref<64xi8, "local">
  %c = tile.alloc core 2 : memref<64xi8, "local">
  %d = tile.alloc core 0 : memref<64xi8, "local">
  %y = tile.global "y" segment = "scratch" shape = [64] order = [0] : memref<64xi8, "global">
  tile.copy core 0 %a -> %b source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "local"> -> memref<64xi8, "local">
  // expected-error @below {{the copies of multicast group 1 read different buffers}}
  tile.copy core 0 %d -> %c source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "local"> -> memref<64xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %b = tile.alloc core 1 : memref<64xi8, "local">
  %c = tile.alloc core 2 : memref<64xi8, "local">
  %d = tile.alloc core 0 : memref<64xi8, "local">
  %y = tile.global "y" segment = "scratch" shape = [64] order = [0] : memref<64xi8, "global">
  tile.copy core 0 %a -> %b source_strides = [1] target_strides = [1] sizes = [32] group = 1 : memref<64xi8, "local"> -> memref<64xi8, "local">
  // expected-error @below {{the copies of multicast group 1 differ in 'source_offset'}}
  tile.copy core 0 %a -> %c source_offset = 32 source_strides = [1] target_strides = [1] sizes = [32] group = 1 : memref<64xi8, "local"> -> memref<64xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %b = tile.alloc core 1 : memref<64xi8, "local">
  %c = tile.alloc core 2 : memref<64xi8, "local">
  %d = tile.alloc core 0 : memref<64xi8, "local">
  %y = tile.global "y" segment = "scratch" shape = [64] order = [0] : memref<64xi8, "global">
  tile.copy core 0 %a -> %b source_strides = [1] target_strides = [1] sizes = [32] pad = 4 group = 1 : memref<64xi8, "local"> -> memref<64xi8, "local">
  // expected-error @below {{the copies of multicast group 1 differ in 'pad'}}
  tile.copy core 0 %a -> %c source_strides = [1] target_strides = [1] sizes = [32] pad = 8 group = 1 : memref<64xi8, "local"> -> memref<64xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %b = tile.alloc core 1 : memref<64xi8, "local">
  %c = tile.alloc core 2 : memref<64xi8, "local">
  %d = tile.alloc core 0 : memref<64xi8, "local">
  %y = tile.global "y" segment = "scratch" shape = [64] order = [0] : memref<64xi8, "global">
  tile.copy core 0 %a -> %b source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "local"> -> memref<64xi8, "local">
  tile.fill core 0 -> %d value = 0.0 : memref<64xi8, "local">
  // expected-error @below {{multicast group 1 has copies further up, with other steps between: its copies start together and stand side by side}}
  tile.copy core 0 %a -> %c source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "local"> -> memref<64xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %b = tile.alloc core 1 : memref<64xi8, "local">
  %c = tile.alloc core 2 : memref<64xi8, "local">
  %d = tile.alloc core 0 : memref<64xi8, "local">
  %y = tile.global "y" segment = "scratch" shape = [64] order = [0] : memref<64xi8, "global">
  tile.copy core 0 %a -> %b source_strides = [1] target_strides = [1] sizes = [32] group = 1 : memref<64xi8, "local"> -> memref<64xi8, "local">
  // expected-error @below {{a copy of multicast group 1 writes elements that the others read}}
  tile.copy core 0 %a -> %a source_strides = [1] target_offset = 16 target_strides = [1] sizes = [32] group = 1 : memref<64xi8, "local"> -> memref<64xi8, "local">
}
