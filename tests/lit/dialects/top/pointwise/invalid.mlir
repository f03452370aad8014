// RUN: not smalti-opt %s --split-input-file 2>&1 | filecheck %s

func.func @f(%x: tensor<4xf32>) {
  %y = top.unary "y" %x kind = "sigmod" : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'top.unary': kind must be one of abs, {{.*}}, got 'sigmod'

// -----

func.func @f(%x: tensor<4xf32>) {
  %y = top.unary "y" %x kind = "elu" : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'top.unary': elu needs alpha

// -----

func.func @f(%x: tensor<4xf32>) {
  %y = top.unary "y" %x kind = "exp" beta = 1.0 : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'top.unary': exp has no beta

// -----

func.func @f(%x: tensor<4xf32>) {
  %y = top.unary "y" %x kind = "elu" alpha = 0x7FF0000000000000 : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'top.unary': alpha must be finite, got inf

// -----

func.func @f(%x: tensor<4xf32>) {
  %y = top.unary "y" %x kind = "celu" alpha = 0.0 : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'top.unary': alpha of celu must not be 0

// -----

func.func @f(%x: tensor<4xf32>, %m: tensor<4xi1>) {
  %y = top.compare "y" %x, %x kind = "more" : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  return
}

// CHECK: error: 'top.compare': kind must be one of less, less_or_equal, equal, not_equal, got 'more'

// -----

func.func @f(%x: tensor<4xf32>, %m: tensor<4xi1>) {
  %y = top.compare "y" %x, %x kind = "less" : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'top.compare': result must be bools, i1, got f32

// -----

func.func @f(%x: tensor<4xf32>, %m: tensor<4xi1>) {
  %y = top.logical "y" %m, %m kind = "nand" : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  return
}

// CHECK: error: 'top.logical': kind must be one of and, or, xor, got 'nand'

// -----

func.func @f(%x: tensor<4xf32>, %m: tensor<4xi1>) {
  %y = top.logical "y" %m, %x kind = "and" : (tensor<4xi1>, tensor<4xf32>) -> tensor<4xi1>
  return
}

// CHECK: error: 'top.logical': rhs must be bools, i1, got f32

// -----

func.func @f(%x: tensor<4xf32>, %m: tensor<4xi1>) {
  %y = top.select "y" %x, %x, %x : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'top.select': condition must be bools, i1, got f32

// -----

func.func @f(%x: tensor<4xf32>) {
  %y = top.unary "y" %x kind = "not" : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'top.unary': not is for bools, i1, got f32 and f32

// -----

func.func @f(%x: tensor<4xf32>) {
  %y = top.unary "y" %x kind = "is_nan" : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'top.unary': is_nan is of floats and gives bools, i1, got f32 and f32

// -----

func.func @f(%x: tensor<4xf32>, %m: tensor<4xi1>) {
  %y = top.compare "y" %x, %m kind = "less" : (tensor<4xf32>, tensor<4xi1>) -> tensor<4xi1>
  return
}

// CHECK: error: 'top.compare': lhs has elements of f32, rhs of i1

// -----

func.func @f(%x: tensor<4xf32>, %m: tensor<4xi1>) {
  %y = top.select "y" %m, %x, %m : (tensor<4xi1>, tensor<4xf32>, tensor<4xi1>) -> tensor<4xf32>
  return
}

// CHECK: error: 'top.select': rhs has elements of i1, the result of f32

// -----

func.func @f(%x: tensor<4xi32>) {
  %y = top.power "y" %x, %x : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  return
}

// CHECK: error: 'top.power': elements must be floats, got i32
