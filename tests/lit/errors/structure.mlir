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

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 8] order = [0, 1] : memref<4x8xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 8] order = [0, 1] : memref<4x8xf32, "global">
  tile.layer (%a = %x : memref<4x8xf32, "global"> as tensor<4x8xf32>) -> %y : memref<4x8xf32, "global"> window = [0, 1, 0, 8] {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<4x8xf32>) -> tensor<4x8xf32>
    tile.yield %r : tensor<4x8xf32>
  }
  tile.layer (%a = %x : memref<4x8xf32, "global"> as tensor<4x8xf32>) -> %y : memref<4x8xf32, "global"> window = [2, 4, 0, 8] {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<4x8xf32>) -> tensor<4x8xf32>
    tile.yield %r : tensor<4x8xf32>
  }
}

// CHECK:      structure.mlir:92:3: error: 'tile.global': no step writes window [1, 2, 0, 8] of 'y', expected the steps to write every element of an output
