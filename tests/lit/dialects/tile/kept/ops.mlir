// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | filecheck %s --check-prefix GENERIC

// A buffer of a core says which part of a tensor it keeps, and a layer's schedule where its output is kept.

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %m = tile.global "m" segment = "scratch" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %a = tile.alloc core 0 address = 64 tensor = "m" window = [0, 1, 0, 64] order = [0, 1] : memref<64xf32, "local">
  tile.layer (%b = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %m : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<cores = [0], output = local> {
    %r = tpu.clamp "m" %b clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// CHECK:      %a = tile.alloc core 0 tensor = "m" window = [0, 1, 0, 64] order = [0, 1] address = 64 : memref<64xf32, "local">
// CHECK-NEXT: tile.layer ({{.*}}) -> %m : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<cores = [0], output = local> {

// GENERIC: "tile.alloc"() <{core = 0 : i64, address = 64 : i64, tensor = "m", window = array<i64: 0, 1, 0, 64>, order = array<i64: 0, 1>}> : () -> memref<64xf32, "local">
// GENERIC: schedule = #tile.schedule<cores = [0], output = local>
