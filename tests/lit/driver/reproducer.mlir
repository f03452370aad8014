// RUN: not smalti-opt %s --cse --convert-top-to-tpu="quantize=int8" --mlir-pass-pipeline-crash-reproducer=%t.mlir 2>&1 | filecheck %s --check-prefix FAILS
// RUN: cat %t.mlir | filecheck %s
// RUN: not smalti-opt --run-reproducer %t.mlir 2>&1 | filecheck %s --check-prefix AGAIN
// RUN: not smalti-opt --run-reproducer %s 2>&1 | filecheck %s --check-prefix NONE
// RUN: smalti-opt --run-reproducer %S/Inputs/mlir_reproducer.mlir | filecheck %s --check-prefix MLIR
// RUN: smalti-opt --run-reproducer %S/Inputs/mlir_generated_reproducer.mlir 2>&1 | filecheck %s --check-prefix GENERATED
// RUN: smalti-opt %s --cse --mlir-generate-reproducer=%t.always.mlir -o /dev/null && cat %t.always.mlir | filecheck %s --check-prefix ALWAYS
// RUN: smalti-opt --run-reproducer %t.always.mlir | filecheck %s --check-prefix RERUN

// The IR is as it was before the pipeline.
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32>
  %c = top.add "c" %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}

// FAILS: note: reproduce with: smalti-opt --run-reproducer {{.*}}.mlir
// FAILS: error: {{.*}}calibrated{{.*}}

// CHECK:      top.relu "b" %x
// CHECK:      {-#
// CHECK-NEXT:   external_resources: {
// CHECK-NEXT:     mlir_reproducer: {
// CHECK-NEXT:       pipeline: "builtin.module(cse,convert-top-to-tpu)",
// CHECK-NEXT:       disable_threading: true,
// CHECK-NEXT:       verify_each: true
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT: #-}

// AGAIN: error: {{.*}}calibrated{{.*}}

// NONE: reproducer.mlir: error: the file is no reproducer: it says no pipeline

// MLIR:      builtin.module {
// MLIR-NEXT:   func.func @f(%arg0: tensor<4xf32>) {
// MLIR-NEXT:     func.return

// What mlir-opt 19 wrote for -canonicalize -cse.
// GENERATED: mlir_generated_reproducer.mlir: warning: options of MLIR's passes are left out, ours do not have them: canonicalize{max-iterations}, canonicalize{max-num-rewrites}
// GENERATED: func.func @main(%arg0: tensor<4xf32>)

// Also of a pipeline that does not fail.
// ALWAYS:     top.relu "b" %x
// ALWAYS:     pipeline: "builtin.module(cse)",

// RERUN-NOT:  top.relu "b"
