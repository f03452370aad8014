// RUN: smalti-opt %s --split-input-file --verify-diagnostics -p tile-cut-to-local-memory

// What cannot stay in local memory is told.

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
    %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
    // expected-error @below {{tpu.unary: 'y' cannot stay in local memory: it is no tensor with axes between two layers}}
    tile.layer core 0 (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<output = local> {
      %r = tpu.unary "r" %a kind = "exp" : (tensor<2x64xf32>) -> tensor<2x64xf32>
      tile.yield %r : tensor<2x64xf32>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
    %m = tile.global "m" segment = "scratch" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
    tile.layer core 0 (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %m : memref<2x64xf32, "global"> window = [0, 1, 0, 64] schedule = #tile.schedule<output = local> {
      %r = tpu.unary "r" %a kind = "exp" : (tensor<2x64xf32>) -> tensor<2x64xf32>
      tile.yield %r : tensor<2x64xf32>
    }
    // expected-error @below {{tpu.unary: another part of 'm' stays in local memory, this one is in global memory}}
    tile.layer core 1 (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %m : memref<2x64xf32, "global"> window = [1, 2, 0, 64] {
      %r = tpu.unary "r" %a kind = "exp" : (tensor<2x64xf32>) -> tensor<2x64xf32>
      tile.yield %r : tensor<2x64xf32>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
    %m = tile.global "m" segment = "scratch" shape = [64, 2] order = [0, 1] : memref<64x2xf32, "global">
    %y = tile.global "y" segment = "output" shape = [64, 2] order = [0, 1] : memref<64x2xf32, "global">
    // expected-error @below {{tpu.transpose: its output cannot stay in local memory: the layer's tiles write to global memory only}}
    tile.layer core 0 (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %m : memref<64x2xf32, "global"> window = [0, 64, 0, 2] schedule = #tile.schedule<output = local> {
      %r = tpu.transpose "r" %a permutation = [1, 0] : (tensor<2x64xf32>) -> tensor<64x2xf32>
      tile.yield %r : tensor<64x2xf32>
    }
    tile.layer core 0 (%a = %m : memref<64x2xf32, "global"> as tensor<64x2xf32>) -> %y : memref<64x2xf32, "global"> window = [0, 64, 0, 2] {
      %r = tpu.unary "s" %a kind = "exp" : (tensor<64x2xf32>) -> tensor<64x2xf32>
      tile.yield %r : tensor<64x2xf32>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
    %m = tile.global "m" segment = "scratch" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
    %y = tile.global "y" segment = "output" shape = [64, 2] order = [0, 1] : memref<64x2xf32, "global">
    tile.layer core 0 (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %m : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<output = local> {
      %r = tpu.unary "s" %a kind = "exp" : (tensor<2x64xf32>) -> tensor<2x64xf32>
      tile.yield %r : tensor<2x64xf32>
    }
    // expected-error @below {{tpu.transpose: 'm' stays in local memory, but the layer's tiles read global memory only}}
    tile.layer core 0 (%a = %m : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<64x2xf32, "global"> window = [0, 64, 0, 2] {
      %r = tpu.transpose "r" %a permutation = [1, 0] : (tensor<2x64xf32>) -> tensor<64x2xf32>
      tile.yield %r : tensor<64x2xf32>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
    %m = tile.global "m" segment = "scratch" shape = [2, 64] order = [0, 1] address = 4096 : memref<2x64xf32, "global">
    %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
    // expected-error @below {{tpu.unary: 'm' has address 4096 in global memory and cannot stay in local memory}}
    tile.layer core 0 (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %m : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<output = local> {
      %r = tpu.unary "r" %a kind = "exp" : (tensor<2x64xf32>) -> tensor<2x64xf32>
      tile.yield %r : tensor<2x64xf32>
    }
    tile.layer core 0 (%a = %m : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] {
      %r = tpu.unary "s" %a kind = "exp" : (tensor<2x64xf32>) -> tensor<2x64xf32>
      tile.yield %r : tensor<2x64xf32>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
    %m = tile.global "m" segment = "scratch" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
    // expected-error @below {{tpu.unary: 'm' is neither joined with others nor a slice of a tensor, both in local memory, and lies in no other tensor}}
    tile.layer core 0 (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %m : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<output = in_place> {
      %r = tpu.unary "r" %a kind = "exp" : (tensor<2x64xf32>) -> tensor<2x64xf32>
      tile.yield %r : tensor<2x64xf32>
    }
  }
}
