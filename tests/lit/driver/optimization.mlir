// RUN: smalti compile %s --quantize f32 -O0 -o %t.smalti --print-pipeline | filecheck %s --check-prefix O0
// RUN: smalti compile %s --quantize f32 -O1 -o %t.smalti --print-pipeline | filecheck %s --check-prefix O1
// RUN: smalti compile %s --quantize f32 -O2 -o %t.smalti --print-pipeline | filecheck %s --check-prefix O2
// RUN: smalti compile %s --quantize f32 -O1 --no-on-chip --no-multicast-weights --split-factor 2 --memory-effort 8 --optimize throughput -o %t.smalti --print-pipeline | filecheck %s --check-prefix EFFECTS
// RUN: smalti compile %s --quantize f32 --emit tpu,tile,isa -o %t.smalti && not smalti compile %t.isa.mlir -O0 -o %t.again.smalti 2>&1 | filecheck %s --check-prefix ISA
// RUN: not smalti compile %t.tile.mlir --split-factor 2 -o %t.again.smalti 2>&1 | filecheck %s --check-prefix TILE
// RUN: not smalti compile %t.tile.mlir --memory-effort 2 -o %t.again.smalti 2>&1 | filecheck %s --check-prefix ORDERED
// RUN: not smalti compile %s -O3 2>&1 | filecheck %s --check-prefix LEVEL
// RUN: not smalti compile %s --optimize speed 2>&1 | filecheck %s --check-prefix OBJECTIVE
// RUN: not smalti compile %s --quantize f32 --on-chip --disable-pass tile-plan -o %t.smalti 2>&1 | filecheck %s --check-prefix LEFT-OUT

func.func @main(%x: tensor<2x8xf32>) -> tensor<2x8xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %c = top.relu "c" %x : (tensor<2x8xf32>) -> tensor<2x8xf32>
  func.return %c : tensor<2x8xf32>
}

// O0: tile-plan{on-chip=false multicast-weights=false splits=by-layer tiles=by-layer},tile-slice-groups,tile-split-over-cores,tile-cut-to-local-memory,tile-order-engines{prefetch=0},tile-assign-addresses
// O1: tile-plan{splits=by-layer tiles=by-layer},tile-slice-groups,tile-split-over-cores,tile-cut-to-local-memory,tile-order-engines,tile-assign-addresses
// O2: tile-plan,tile-slice-groups,tile-split-over-cores,tile-cut-to-local-memory,tile-order-engines,tile-assign-addresses
// EFFECTS: tile-plan{on-chip=false multicast-weights=false splits=by-layer tiles=by-layer parts=2 objective=throughput},tile-slice-groups,tile-split-over-cores,tile-cut-to-local-memory,tile-order-engines{prefetch=8},tile-assign-addresses

// ISA:      error: -O0 is settled in isa IR and cannot be changed
// ISA-NEXT: hint: leave -O0 out, or compile again from the model or its top IR

// TILE: error: --split-factor is settled in tile IR and cannot be changed

// ORDERED:      error: pass 'tile-order-engines' leaves this program as it is, because it is marked as `ordered`
// ORDERED-NEXT: hint: delete the word `ordered` in the IR, or leave --memory-effort out

// LEVEL: error: argument -O: '3' is not one of 0, 1, 2

// OBJECTIVE: error: argument --optimize: 'speed' is not one of latency, throughput

// LEFT-OUT:      error: pass 'tile-plan' is left out, and --on-chip applies to it
// LEFT-OUT-NEXT: hint: leave --on-chip out, or --disable-pass tile-plan
