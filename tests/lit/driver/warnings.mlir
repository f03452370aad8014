// RUN: smalti-opt %s --top-annotate-calibration="table=%S/Inputs/x.calibration" 2>&1 | filecheck %s
// RUN: smalti-opt %s --top-annotate-calibration="table=%S/Inputs/x.calibration" --verify-diagnostics

// expected-warning-re @unknown {{the calibration table has ranges for {{[0-9]+}} names that no value has}}
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %y = top.relu "y" %x : (tensor<1x4xf32>) -> tensor<1x4xf32>
  func.return %y : tensor<1x4xf32>
}

// CHECK:      x.calibration: warning: the calibration table has ranges for 2 names that no value has
// CHECK-NEXT: note: they are: a, b
// CHECK:      func.func @main
