// RUN: not smalti-opt %s --split-input-file 2>&1 | filecheck %s

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %y : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      values.mlir:4:21: error: value %y is used but not defined
// CHECK:      hint: define it above its use, or as an argument

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  %a = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      values.mlir:15:3: error: value %a is defined twice
// CHECK:      values.mlir:14:3: note: it was first defined here
// CHECK:      hint: give one of them another name

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %b : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      values.mlir:26:3: error: 'top.relu': operand 0 is used before it is defined (by top.relu)
// CHECK:      values.mlir:27:3: note: it is defined here
// CHECK:      hint: define it above its use

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<5xf32>) -> tensor<5xf32>
  func.return
}

// CHECK:      values.mlir:38:21: error: value %x is a tensor<4xf32>, not a tensor<5xf32>
// CHECK:      hint: write the type that it has, or convert it

// -----

func.func @f(%x: tensor<4xf32>) {
  %a, %b = "top.relu"(%x) <{name = "a"}> : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      values.mlir:48:3: error: 2 names stand before an op of 1 result(s)
// CHECK:      hint: name each result once

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      values.mlir:59:3: error: 'top.relu': name "a" is taken by an op above: names are unique in a function

// -----

func.func @f(%x: tensor<4xf32>) {
  %w = top.weight "w" : tensor<4xf32>
  func.return
}

// CHECK:      values.mlir:68:3: error: 'top.weight': exactly one of key, seed and value is needed, got none of them

// -----

func.func @f(%x: tensor<4xf32>, %x: tensor<4xf32>) {
  func.return
}

// CHECK:      values.mlir:76:33: error: value %x is defined twice
// CHECK:      hint: give one of them another name
