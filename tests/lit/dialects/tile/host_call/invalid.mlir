// RUN: smalti-opt %s --split-input-file --verify-diagnostics

tile.program @local {
  %x = tile.global "x" segment = "input" shape = [2, 10] order = [0, 1] : memref<2x10xf32, "global">
  %y = tile.alloc core 0 : memref<2x1xi64, "local">
  // expected-error @below {{'tile.host_call': out must be in memory space "global", is in "local"}}
  tile.host_call core 0 %x -> %y function = "argmax" sizes = [2, 10, 1, 1] : memref<2x10xf32, "global"> -> memref<2x1xi64, "local">
}

// -----

tile.program @function {
  %x = tile.global "x" segment = "input" shape = [2, 10] order = [0, 1] : memref<2x10xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 1] order = [0, 1] : memref<2x1xi64, "global">
  // expected-error @below {{'tile.host_call': function must be one of argmax, argmin, cumsum, top_k_indices, top_k_values, to_i32, to_i64, to_f16, to_bf16, to_f32, got 'system'}}
  tile.host_call core 0 %x -> %y function = "system" sizes = [2, 10, 1, 1] : memref<2x10xf32, "global"> -> memref<2x1xi64, "global">
}

// -----

tile.program @sizes {
  %x = tile.global "x" segment = "input" shape = [2, 10] order = [0, 1] : memref<2x10xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 1] order = [0, 1] : memref<2x1xi64, "global">
  // expected-error @below {{'tile.host_call': x has 20 elements, sizes say 40}}
  tile.host_call core 0 %x -> %y function = "argmax" sizes = [2, 10, 2, 1] : memref<2x10xf32, "global"> -> memref<2x1xi64, "global">
}

// -----

tile.program @length {
  %x = tile.global "x" segment = "input" shape = [2, 10] order = [0, 1] : memref<2x10xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 2] order = [0, 1] : memref<2x2xi64, "global">
  // expected-error @below {{'tile.host_call': out has 4 elements, sizes say 2}}
  tile.host_call core 0 %x -> %y function = "argmax" sizes = [2, 10, 1, 1] : memref<2x10xf32, "global"> -> memref<2x2xi64, "global">
}
