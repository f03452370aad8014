// RUN: smalti-opt %s | filecheck %s
// RUN: smalti-opt %s --mlir-print-op-generic | smalti-opt | filecheck %s
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-split-over-cores,tile-cut-to-local-memory" | filecheck %s --check-prefix TILE
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-split-over-cores,tile-cut-to-local-memory,tile-order-engines,tile-assign-addresses,convert-tile-to-isa" | filecheck %s --check-prefix ISA

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:21a344a0a3b704b3"} {
  func.func @main(%x: tensor<2x10x3x5xf32>) -> tensor<2x10x5xi64> attributes {smalti.inputs = ["x"], smalti.outputs = ["a"]} {
    %r = tpu.clamp "r" %x clamp_low = 0.0 : (tensor<2x10x3x5xf32>) -> tensor<2x10x3x5xf32>
    %a = tpu.host_call "a" %r kind = "argmax" axis = 2 length = 1 last : (tensor<2x10x3x5xf32>) -> tensor<2x10x5xi64>
    func.return %a : tensor<2x10x5xi64>
  }
}

// CHECK:      %a = tpu.host_call "a" %r kind = "argmax" axis = 2 length = 1 last : (tensor<2x10x3x5xf32>) -> tensor<2x10x5xi64>

// What the host reads is dense and row-major, without lanes for channels; it is one call, on core 0.
// TILE:     %r = tile.global "r" segment = "scratch" shape = [2, 10, 3, 5] order = [0, 1, 2, 3] : memref<2x10x3x5xf32, "global">
// TILE:     tile.host_call core 0 %r -> %a function = "argmax" sizes = [20, 3, 5, 1] last origin = "a" : memref<2x10x3x5xf32, "global"> -> memref<2x10x5xi64, "global">
// TILE-NOT: tile.host_call

// ISA: host_call function=argmax, type=f32, out_type=i64, x_segment=scratch, out_segment=output, x={{.*}}, out={{.*}}, outer=20, length=3, inner=5, out_length=1, last=1
