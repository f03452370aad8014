// RUN: not smalti-opt none.mlir 2>&1 | filecheck %s --check-prefix FILE
// RUN: not smalti-opt %S 2>&1 | filecheck %s --check-prefix FOLDER
// RUN: not smalti-opt %s -o none/x.mlir 2>&1 | filecheck %s --check-prefix OUTPUT
// RUN: not smalti-opt %s --verify-each=maybe 2>&1 | filecheck %s --check-prefix BOOLEAN
// RUN: not smalti-opt %s --mlir-elide-elementsattrs-if-larger=few 2>&1 | filecheck %s --check-prefix NUMBER
// RUN: not smalti-opt %s --mlir-output-format=xml 2>&1 | filecheck %s --check-prefix CHOICE
// RUN: not smalti-opt %s --mlir-print-ir-afer-all 2>&1 | filecheck %s --check-prefix FLAG
// RUN: not smalti-opt %s %s 2>&1 | filecheck %s --check-prefix TWICE
// RUN: not smalti-opt %s -p "cse" --pass-pipeline="builtin.module(cse)" 2>&1 | filecheck %s --check-prefix BOTH
// RUN: not smalti-opt %s --convert-top-to-tpu="target=no-such-chip" 2>&1 | filecheck %s --check-prefix TARGET
// RUN: not smalti-opt %s --convert-top-to-tpu="quantize=int9" 2>&1 | filecheck %s --check-prefix VALUE
// RUN: not smalti-opt %s --top-annotate-calibration="table=none.json" 2>&1 | filecheck %s --check-prefix TABLE
// RUN: not smalti-opt %s --convert-tpu-to-tile 2>&1 | filecheck %s --check-prefix LEVEL

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return %a : tensor<4xf32>
}

// FILE:      none.mlir: error: cannot read: No such file or directory
// FILE-NEXT: hint: check the path

// FOLDER: errors: error: cannot read: Is a directory

// OUTPUT:      x.mlir: error: cannot write: No such file or directory
// OUTPUT-NEXT: hint: name a file in a folder that exists and can be written

// BOOLEAN: error: argument --verify-each: 'maybe' is neither true nor false

// NUMBER: error: argument --mlir-elide-elementsattrs-if-larger: invalid int value: 'few'

// CHOICE: error: argument --mlir-output-format: 'xml' is not one of text, json

// FLAG: error: unknown argument '--mlir-print-ir-afer-all' (did you mean --mlir-print-ir-after-all

// TWICE: error: unknown argument '{{.*}}options.mlir'

// BOTH: error: argument --pass-pipeline: not allowed with argument -p/--passes

// TARGET: error: {{.*}}no-such-chip{{.*}}

// VALUE: pass 'convert-top-to-tpu': error: option 'quantize' is int9, expected {{.*}}

// TABLE: none.json: error: cannot read the calibration table: No such file or directory

// LEVEL: error: the module does not say for which target it is
