// RUN: not smalti-opt %s --split-input-file --cse 2>&1 | filecheck %s
// RUN: not smalti-opt %s --cse 2>&1 | filecheck %s --check-prefix WHOLE
// RUN: smalti-opt %S/Inputs/parts.mlir --split-input-file='// part' | filecheck %s --check-prefix PARTS
// RUN: smalti-opt %S/Inputs/parts.mlir --split-input-file='// part' --output-split-marker='// next' | filecheck %s --check-prefix NEXT

func.func @first(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----

func.func @second(%x: tensor<4xf32>) {
  %a = top.relu "a" %y : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----

func.func @third(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<5xf32>
  func.return
}

// -----

func.func @fourth(%x: tensor<4xf32>) {
  func.return
}

// The wrong parts are told with their lines in the file; the others are printed.
// CHECK:      split_input.mlir:14:21: error: value %y is used but not defined
// CHECK-NEXT:   %a = top.relu "a" %y : (tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT: {{^                    \^}}
// CHECK:      split_input.mlir:21:3: error: 'top.relu': {{.*}}
// CHECK:      func.func @first
// CHECK:      // -----
// CHECK:      func.func @fourth
// CHECK-NOT:  // -----

// WHOLE:     split_input.mlir:14:21: error: value %y is used but not defined
// WHOLE-NOT: func.func

// PARTS:      func.func @one
// PARTS:      // -----
// PARTS-NEXT: builtin.module
// PARTS-NEXT: func.func @two

// NEXT-NOT:   // -----
// NEXT:       // next
// NEXT-NEXT:  builtin.module
