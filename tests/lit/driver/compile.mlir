// RUN: smalti compile %s --quantize f32 -o %t.smalti --mlir-print-ir-after-change --mlir-pass-statistics 2>&1 | filecheck %s
// RUN: smalti compile %s --quantize f32 -o %t.smalti --print-ir-diff --log-rewrites=%t.json 2>&1 | filecheck %s --check-prefix DIFF
// RUN: cat %t.json | filecheck %s --check-prefix LOG
// RUN: smalti compile %s --quantize f32 -o %t.smalti --mlir-timing 2>&1 | filecheck %s --check-prefix TIME
// RUN: not smalti compile %s --quantize int8 -o %t.smalti --mlir-pass-pipeline-crash-reproducer=%t.mlir 2>&1 | filecheck %s --check-prefix FAILS
// RUN: smalti compile %s --quantize f32 -o %t.smalti --mlir-print-ir-tree-dir=%t.tree && cat %t.tree/index.json | filecheck %s --check-prefix TREE

func.func @main(%x: tensor<2x8xf32>) -> tensor<4x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %a = top.reshape "a" %x : (tensor<2x8xf32>) -> tensor<16xf32> loc("R0")
  %b = top.reshape "b" %a : (tensor<16xf32>) -> tensor<4x4xf32> loc("R1")
  %c = top.relu "c" %b : (tensor<4x4xf32>) -> tensor<4x4xf32>
  func.return %c : tensor<4x4xf32>
}

// CHECK:      IR Dump After FoldShapes (top-fold-shapes)
// CHECK:      IR Dump After ConvertTopToTpu (convert-top-to-tpu)
// CHECK:      IR Dump After ConvertTileToIsa (convert-tile-to-isa)
// CHECK:      ... Pass statistics report ...
// CHECK:      top-fold-shapes
// CHECK:      (S) 1 merge_reshapes -
// CHECK:      program {{.*}}.smalti

// DIFF:      --- before top-fold-shapes
// DIFF-NEXT: +++ after top-fold-shapes
// DIFF:      -    %a = top.reshape "a"

// LOG: "pass": "top-fold-shapes", "pattern": "merge_reshapes"

// TIME:      Execution time report
// TIME:      Parser
// TIME-NEXT: Compile
// TIME-NEXT: Pipeline
// TIME-NEXT: (verify)
// TIME-NEXT: top-unroll-recurrence
// TIME-NEXT: (verify)
// TIME-NEXT: top-fold-shapes

// FAILS: error: quantize=int8 needs calibration data

// TREE: "file": "01_top-fold-shapes.after.mlir"
// TREE: convert-tile-to-isa.after.mlir"
