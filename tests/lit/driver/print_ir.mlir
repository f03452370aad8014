// RUN: smalti-opt %s --canonicalize --cse --mlir-print-ir-before=cse -o /dev/null 2>&1 | filecheck %s --check-prefix BEFORE
// RUN: smalti-opt %s --canonicalize --cse --mlir-print-ir-after=cse -o /dev/null 2>&1 | filecheck %s --check-prefix AFTER
// RUN: smalti-opt %s --canonicalize --cse --mlir-print-ir-before-all --mlir-print-ir-after-all -o /dev/null 2>&1 | filecheck %s --check-prefix ALL
// RUN: smalti-opt %s --canonicalize --cse --mlir-print-ir-after-change -o /dev/null 2>&1 | filecheck %s --check-prefix CHANGE
// RUN: smalti-opt %s --canonicalize --cse --mlir-print-ir-after=canonicalize --mlir-print-ir-after-change -o /dev/null 2>&1 | filecheck %s --check-prefix NONE --allow-empty
// RUN: not smalti-opt %s --cse --convert-top-to-tpu --mlir-print-ir-after-failure 2>&1 | filecheck %s --check-prefix FAILED
// RUN: smalti-opt %s --cse --mlir-print-ir-after-all 2>&1 | filecheck %s --check-prefix BOTH

// The dumps go to standard error in MLIR's form; standard output has the IR alone.
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32>
  %c = top.add "c" %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}

// BEFORE-NOT:  IR Dump After
// BEFORE:      // -----// IR Dump Before CommonSubexpressions (cse) //----- //
// BEFORE-NEXT: builtin.module {
// BEFORE:      top.add "c" %a, %b
// BEFORE-NOT:  IR Dump After

// AFTER-NOT:  IR Dump Before
// AFTER:      // -----// IR Dump After CommonSubexpressions (cse) //----- //
// AFTER:      top.add "c" %a, %a

// ALL:      IR Dump Before Canonicalize (canonicalize)
// ALL:      IR Dump After Canonicalize (canonicalize)
// ALL:      IR Dump Before CommonSubexpressions (cse)
// ALL:      IR Dump After CommonSubexpressions (cse)

// CHANGE-NOT: (canonicalize)
// CHANGE:     IR Dump After CommonSubexpressions (cse)
// CHANGE-NOT: IR Dump

// NONE-NOT: IR Dump

// FAILED-NOT:  (cse)
// FAILED:      IR Dump After ConvertTopToTpu Failed (convert-top-to-tpu)
// FAILED-NEXT: builtin.module {
// FAILED:      error: {{.*}}

// BOTH:      IR Dump After CommonSubexpressions (cse)
// BOTH:      func.return
// BOTH:      builtin.module {
// BOTH-NEXT: func.func @main
