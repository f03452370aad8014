// RUN: not smalti-opt %s --split-input-file 2>&1 | filecheck %s

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<4xf32> -> tensor<4xf32>
  func.return
}

// CHECK:      syntax.mlir:4:41: error: ')' was expected
// CHECK:      hint: close what was opened before this

// -----

func.func @f(%x: tensor<4xf32) {
  func.return
}

// CHECK:      syntax.mlir:13:30: error: '>' was expected
// CHECK:      hint: close what was opened before this

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      syntax.mlir:23:17: error: the string is not closed
// CHECK:      hint: end it with a quotation mark: "name"

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      syntax.mlir:33:17: error: the op's name was expected, a string
// CHECK:      hint: write it first: top.relu "name" %x : …

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return

// CHECK:      syntax.mlir:44:13: error: an op or '}' was expected, but the text ends here
// CHECK:      hint: close every region with a brace

// -----

func.func @f(%x: tensor<4xf32>) {
  func.return
}}

// CHECK:      syntax.mlir:53:2: error: an op or the end of the text was expected
// CHECK:      hint: is there a brace too many?

// -----

%

// CHECK:      syntax.mlir:60:1: error: a name was expected after this
// CHECK:      hint: such as %x, ^bb0 or @main

// -----

func.func @f(%x: tensor<4xf32> {
  func.return
}

// CHECK:      syntax.mlir:69:1: error: ')' was expected, but the text ends here
// CHECK:      hint: close what was opened before this

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32> loc("a"
  func.return
}

// CHECK:      syntax.mlir:77:65: error: ')' was expected, but the line ends here
// CHECK:      hint: close what was opened before this

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.softmax "a" %x axis = 3 : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      syntax.mlir:87:3: error: 'top.softmax': axis 3 is not one of 1 axes

// -----

// What is missing at the end of an op is told there, not at the next op.
func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %x  // a comment

  // another
  %b = top.relu "b" %a : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      syntax.mlir:97:22: error: ':' and the types were expected, but the line ends here
// CHECK-NEXT: top.relu "a" %x  // a comment
// CHECK-NEXT: {{^                     \^$}}

// -----

// So is a value that is wrong as a whole.
func.func @f() {
  %a = top.weight "a" value = dense<[1.0, 2.0]> : tensor<3xf32>
  func.return
}

// CHECK:      syntax.mlir:112:63: error: the literal has shape [2], its type shape [3]
// CHECK-NEXT: top.weight "a"

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  , top.relu
}

// CHECK:      syntax.mlir:123:3: error: an op or '}' was expected
