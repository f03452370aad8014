// RUN: not smalti-opt %s --split-input-file 2>&1 | filecheck %s

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %x (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      types.mlir:4:24: error: ':' and the types were expected
// CHECK:      hint: end the op with : (operand types) -> result type

// -----

func.func @f(%x: tensor<4xf33>) {
  func.return
}

// CHECK:      types.mlir:13:27: error: 'f33' is no size or element type
// CHECK:      hint: did you mean f32?

// -----

func.func @f(%x: tensr<4xf32>) {
  func.return
}

// CHECK:      types.mlir:22:18: error: a type was expected, got 'tensr'
// CHECK:      hint: did you mean tensor?

// -----

func.func @f(%x: tensor<4x4.5xf32>) {
  func.return
}

// CHECK:      types.mlir:31:27: error: '4.5xf32' is no size or element type
// CHECK:      hint: did you mean f32?

// -----

func.func @f(%x: !quant.uniform<i8:f32, 0.0:0>) {
  func.return
}

// CHECK:      types.mlir:40:47: error: scale 0.0 is not a positive number

// -----

func.func @f(%x: tensor<4x!quant.unifrm<i8:f32, 0.1:0>>) {
  func.return
}

// CHECK:      types.mlir:48:40: error: there is no type or attribute 'quant.unifrm'
// CHECK:      hint: did you mean quant.uniform?

// -----

func.func @f(%x: tensor<4x!quant.uniform<i8:f32, 0.1:200>>) {
  func.return
}

// CHECK:      types.mlir:57:58: error: zero point 200 is outside the storage range -128:127

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      types.mlir:66:26: error: expected 1 operand types, got 2
// CHECK:      hint: write one type for each operand

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      types.mlir:76:23: error: ':' and the types were expected
// CHECK:      hint: end the op with : (operand types) -> result type

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  %y = top.conv2d "y" %x, %w : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x5x5xf32>
  func.return
}

// CHECK:      types.mlir:86:3: error: 'top.conv2d': result has shape [1, 8, 5, 5], expected [1, 8, 6, 6]

// -----

func.func @f(%x: tensor<4xf32>) {
  %w = top.weight "w" value = dense<[1.0, 2.0]> : tensor<4xf32> : tensor<4xf32>
  func.return
}

// CHECK:      types.mlir:95:65: error: the literal has shape [2], its type shape [4]
// CHECK:      hint: give as many values as the type has

// -----

func.func @f(%x: tensor<4xi99999>) {
  func.return
}

// CHECK:      types.mlir:104:27: error: integer types have at most 1024 bits

// -----

func.func @f(%x tensor<4xf32>) {
  func.return
}

// CHECK:      types.mlir:112:17: error: ':' and a type were expected after the argument's name
// CHECK:      hint: write %x: tensor<4xf32>

// -----

func.func @f(%x: tensor<?xf32>) {
  %a = top.relu "a" %x : (tensor<?xf32>) -> tensor<?xf32>
  func.return
}

// CHECK:      types.mlir:122:3: error: 'top.relu': input has a size that is not known: tensor<?xf32>

// -----

func.func @f(%x: tensor<4xi32>) {
  %a = top.relu "a" %x : (tensor<4xi32>) -> tensor<4xi32>
  func.return
}

// CHECK:      types.mlir:131:3: error: 'top.relu': elements must be floats, got i32

// -----

func.func @f(%x: tensor<4x!quant.uniform<i8:f32, 0.1>>, %y: tensor<4x!quant.uniform<f8:f32, 0.1>>) {
  func.return
}

// CHECK:      types.mlir:139:85: error: a type was expected, got 'f8'
// CHECK:      hint: such as tensor<1x8xf32>, memref<8xi8>, f32, !quant.uniform<i8:f32, 0.1:0>
