// RUN: smalti-opt %s --split-input-file --verify-diagnostics

tile.program @main {
  // expected-error @below {{'tile.alloc': 'tensor', 'window' and 'order' belong together}}
  %a = tile.alloc core 0 tensor = "m" : memref<64xf32, "local">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.alloc': only a buffer in local memory keeps a part of a tensor}}
  %a = tile.alloc core 0 tensor = "m" window = [0, 64] order = [0] : memref<64xf32, "acc">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.alloc': order [0, 0] is no permutation of the tensor's axes}}
  %a = tile.alloc core 0 tensor = "m" window = [0, 1, 0, 64] order = [0, 0] : memref<64xf32, "local">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.alloc': window must have low < high for each of 2 axes, got [0, 1, 64, 64]}}
  %a = tile.alloc core 0 tensor = "m" window = [0, 1, 64, 64] order = [0, 1] : memref<64xf32, "local">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.alloc': the buffer has 64 elements, expected 3 equal rows of at least 16}}
  %a = tile.alloc core 0 tensor = "m" window = [0, 3, 0, 16] order = [0, 1] : memref<64xf32, "local">
}
