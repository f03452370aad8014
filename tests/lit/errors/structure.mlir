// RUN: not smalti-opt %s --split-input-file 2>&1 | filecheck %s

func.func @f(%x: tensor<4xf32>) {
  %a = top.rleu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      structure.mlir:4:8: error: there is no op 'top.rleu'
// CHECK:      hint: did you mean top.relu

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = tob.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      structure.mlir:14:8: error: there is no dialect 'tob' for op 'tob.relu'
// CHECK:      hint: did you mean top? (--allow-unregistered-dialect lets unknown ops be)

// -----

func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return
}

// CHECK:      structure.mlir:24:3: error: 'func.return': the function gives [tensor<4xf32>], what is returned is []
// CHECK:      hint: change the function's type, or what is returned

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
}

// CHECK:      structure.mlir:33:3: error: 'top.relu': the block does not end in a terminator
// CHECK:      hint: a function ends with func.return, a layer with tile.yield

// -----

func.func @f(%x: tensor<4xf32>) {
  func.return
}
func.func @f(%x: tensor<4xf32>) {
  func.return
}

// CHECK:      structure.mlir:44:1: error: 'func.func': symbol @f is defined twice
// CHECK:      structure.mlir:41:1: note: it was first defined here
// CHECK:      hint: give one of them another name

// -----

func.func f(%x: tensor<4xf32>) {
  func.return
}

// CHECK:      structure.mlir:54:11: error: a symbol was expected
// CHECK:      hint: names of functions begin with @

// -----

isa.program {
}

// CHECK:      structure.mlir:63:13: error: a symbol was expected
// CHECK:      hint: names of functions begin with @

// -----

hello world

// CHECK:      structure.mlir:71:1: error: there is no op 'hello'
// CHECK:      hint: ops are written dialect.name, such as top.relu

// -----

func.func @f(%x: tensor<4xf32>) {
^bb0:
  func.return
^bb0:
  func.return
}

// CHECK:      structure.mlir:79:1: error: the block has the name of the function's first block
// CHECK:      hint: give it another name
