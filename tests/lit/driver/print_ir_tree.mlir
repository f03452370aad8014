// RUN: smalti-opt %s --canonicalize --cse --mlir-print-ir-tree-dir=%t.tree | filecheck %s
// RUN: cat %t.tree/index.json | filecheck %s --check-prefix INDEX
// RUN: cat %t.tree/01_cse.after.mlir | filecheck %s
// RUN: smalti-opt %s --canonicalize --cse --mlir-print-ir-before=cse --mlir-print-ir-tree-dir=%t.one -o /dev/null && cat %t.one/index.json | filecheck %s --check-prefix ONE

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32>
  %c = top.add "c" %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}

// CHECK:      %a = top.relu "a" %x
// CHECK-NEXT: %c = top.add "c" %a, %a

// INDEX:      [
// INDEX-NEXT:   {
// INDEX-NEXT:     "file": "00_canonicalize.after.mlir",
// INDEX-NEXT:     "number": 0,
// INDEX-NEXT:     "pass": "canonicalize",
// INDEX-NEXT:     "when": "after"
// INDEX-NEXT:   },
// INDEX-NEXT:   {
// INDEX-NEXT:     "file": "01_cse.after.mlir",

// ONE:      "file": "01_cse.before.mlir",
// ONE-NOT:  "file":
