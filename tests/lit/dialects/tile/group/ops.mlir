// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | filecheck %s --check-prefix GENERIC

// Fields may stand in any order; those at their defaults are written but for the order.
tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %z = tile.global "z" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  tile.group #tile.group<slices = 2, axis = 0, order = pipelined> {
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] schedule = #tile.schedule<slice_weights = kept> {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "sqrt" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
  tile.group #tile.group<axis = 1, slices = 64, halos = recomputed> {
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %z : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "z" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// What the layers of a group become: layers in slices, of which different ones may write the same elements.
tile.program @sliced {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  tile.layer core 1 slice 0 (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 3, 0, 64] {
    %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
    tile.yield %r : tensor<4x64xf32>
  }
  tile.layer slice 1 (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [2, 4, 0, 64] {
    %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
    tile.yield %r : tensor<4x64xf32>
  }
}

// CHECK: tile.group #tile.group<axis = 0, slices = 2, halos = kept, order = pipelined> {
// CHECK-NEXT: tile.layer (%i = %x : {{.*}}) -> %a : {{.*}} schedule = #tile.schedule<slice_weights = kept> {
// CHECK: tile.layer (%i = %a
// CHECK: tile.group #tile.group<axis = 1, slices = 64, halos = recomputed> {
// CHECK: tile.layer core 1 slice 0 (%i = %x
// CHECK: tile.layer slice 1 (%i = %x

// GENERIC: "tile.group"() <{group = #tile.group<axis = 0, slices = 2, halos = kept, order = pipelined>}> ({
// GENERIC: "tile.layer"(%x, %a) <{core = 1 : i64, {{.*}}slice = 0 : i64
