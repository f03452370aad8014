// RUN: smalti-opt %s -p tile-plan{on_chip=true} | filecheck %s

// A tensor that has an address stays in global memory; one that has none may stay in local memories.

// CHECK: -> %a : {{.*}} tile = [1, 16, 2, 8], output = global> {
// CHECK: -> %b : {{.*}} tile = [1, 16, 4, 8], output = local, activations = multicast> {

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 16, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xf32, "global">
    %a = tile.global "a" segment = "scratch" shape = [1, 16, 8, 8] order = [0, 2, 3, 1] address = 4096 : memref<1x8x8x16xf32, "global">
    %b = tile.global "b" segment = "scratch" shape = [1, 16, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xf32, "global">
    %y = tile.global "y" segment = "output" shape = [1, 16, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xf32, "global">
    tile.layer (%i = %x : memref<1x8x8x16xf32, "global"> as tensor<1x16x8x8xf32>) -> %a : memref<1x8x8x16xf32, "global"> window = [0, 1, 0, 16, 0, 8, 0, 8] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
      tile.yield %r : tensor<1x16x8x8xf32>
    }
    tile.layer (%i = %a : memref<1x8x8x16xf32, "global"> as tensor<1x16x8x8xf32>) -> %b : memref<1x8x8x16xf32, "global"> window = [0, 1, 0, 16, 0, 8, 0, 8] {
      %r = tpu.unary "b" %i kind = "exp" : (tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
      tile.yield %r : tensor<1x16x8x8xf32>
    }
    tile.layer (%i = %b : memref<1x8x8x16xf32, "global"> as tensor<1x16x8x8xf32>) -> %y : memref<1x8x8x16xf32, "global"> window = [0, 1, 0, 16, 0, 8, 0, 8] {
      %r = tpu.unary "y" %i kind = "sqrt" : (tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
      tile.yield %r : tensor<1x16x8x8xf32>
    }
  }
}
