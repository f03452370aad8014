// RUN: smalti-opt %s --split-input-file --verify-diagnostics -p "convert-top-to-tpu"
// RUN: not smalti-opt %S/Inputs/unmet.mlir --split-input-file --verify-diagnostics 2>&1 | filecheck %s

func.func @parser(%x: tensor<4xf32>) {
  // expected-error @+1 {{value %y is used but not defined}}
  %a = top.relu "a" %y : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----

func.func @verifier(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<5xf32>
  // expected-error @-1 {{result}}
  // expected-note @above {{see current operation}}
  func.return
}

// -----

func.func @pass(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  // expected-error-re @unknown {{needs a calibrated range for {{.*}}'x'}}
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return %a : tensor<4xf32>
}

// CHECK:      unmet.mlir:2:3: error: unexpected error: 'top.relu': {{.*}}
// CHECK-NEXT: %a = top.relu "a" %x
// CHECK-NEXT: ^
// CHECK:      unmet.mlir:8:6: error: expected error "something else" was not produced
// CHECK:      unmet.mlir:18:4: error: expected warning "a warning" was not produced
// CHECK:      unmet.mlir:25:4: error: this does not say what is expected
