// RUN: not smalti-opt %s --split-input-file 2>&1 | filecheck %s

func.func @f(%x: tensor<4xf32>) {
  %y = tpu.unary "y" %x kind = "sigmod" : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'tpu.unary': kind must be one of abs, {{.*}}, got 'sigmod'

// -----

func.func @f(%x: tensor<4xf32>) {
  %y = tpu.unary "y" %x kind = "elu" : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'tpu.unary': elu needs alpha

// -----

func.func @f(%x: tensor<4xf32>) {
  %y = tpu.unary "y" %x kind = "exp" beta = 1.0 : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'tpu.unary': exp has no beta

// -----

func.func @f(%x: tensor<4xf32>) {
  %y = tpu.unary "y" %x kind = "elu" alpha = 0x7FF0000000000000 : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'tpu.unary': alpha must be finite, got inf

// -----

func.func @f(%x: tensor<4xf32>) {
  %y = tpu.unary "y" %x kind = "celu" alpha = 0.0 : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'tpu.unary': alpha of celu must not be 0

// -----

func.func @f(%x: tensor<4xf32>, %m: tensor<4xi1>) {
  %y = tpu.compare "y" %x, %x kind = "more" : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  return
}

// CHECK: error: 'tpu.compare': kind must be one of less, less_or_equal, equal, not_equal, got 'more'

// -----

func.func @f(%x: tensor<4xf32>, %m: tensor<4xi1>) {
  %y = tpu.compare "y" %x, %x kind = "less" : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'tpu.compare': result must be bools, i1, got f32

// -----

func.func @f(%x: tensor<4xf32>, %m: tensor<4xi1>) {
  %y = tpu.logical "y" %m, %m kind = "nand" : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  return
}

// CHECK: error: 'tpu.logical': kind must be one of and, or, xor, got 'nand'

// -----

func.func @f(%x: tensor<4xf32>, %m: tensor<4xi1>) {
  %y = tpu.logical "y" %m, %x kind = "and" : (tensor<4xi1>, tensor<4xf32>) -> tensor<4xi1>
  return
}

// CHECK: error: 'tpu.logical': rhs must be bools, i1, got f32

// -----

func.func @f(%x: tensor<4xf32>, %m: tensor<4xi1>) {
  %y = tpu.select "y" %x, %x, %x : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'tpu.select': condition must be bools, i1, got f32

// -----

func.func @f(%x: tensor<4xf32>) {
  %y = tpu.unary "y" %x kind = "not" : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'tpu.unary': not is of bools and gives bools, i1, got f32 and f32

// -----

func.func @f(%x: tensor<4xf32>) {
  %y = tpu.unary "y" %x kind = "is_nan" : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK: error: 'tpu.unary': is_nan is of floats and gives bools, i1, got f32 and f32

// -----

func.func @f(%x: tensor<4xf32>) {
  %y = tpu.unary "y" %x kind = "is_nan" clamp_low = 0.0 : (tensor<4xf32>) -> tensor<4xi1>
  return
}

// CHECK: error: 'tpu.unary': bools have no clamp

// -----

func.func @f(%x: tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>) {
  %y = tpu.unary "y" %x kind = "exp" : (tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>) -> tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>
  return
}

// CHECK: error: 'tpu.unary': input must have float elements, got !quant.uniform<i8:f32, 1.000000e-01:3>

// -----

func.func @f(%x: tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>, %t: tensor<256x!quant.uniform<i8:f32, 2.000000e-01>>) {
  %y = tpu.lookup "y" %x, %t : (tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>, tensor<256x!quant.uniform<i8:f32, 2.000000e-01>>) -> tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>
  return
}

// CHECK: error: 'tpu.lookup': result must have the element type of table, {{.*}}

// -----

func.func @f(%x: tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>, %t: tensor<4x!quant.uniform<i8:f32, 2.000000e-01>>) {
  %y = tpu.lookup "y" %x, %t : (tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>, tensor<4x!quant.uniform<i8:f32, 2.000000e-01>>) -> tensor<4x!quant.uniform<i8:f32, 2.000000e-01>>
  return
}

// CHECK: error: 'tpu.lookup': table must have shape [256], has [4]

// -----

func.func @f(%x: tensor<4x!quant.uniform<i16:f32, 1.000000e-01>>, %t: tensor<256x!quant.uniform<i8:f32, 2.000000e-01>>) {
  %y = tpu.lookup "y" %x, %t : (tensor<4x!quant.uniform<i16:f32, 1.000000e-01>>, tensor<256x!quant.uniform<i8:f32, 2.000000e-01>>) -> tensor<4x!quant.uniform<i8:f32, 2.000000e-01>>
  return
}

// CHECK: error: 'tpu.lookup': input must be stored as i8 or u8, got !quant.uniform<i16:f32, 1.000000e-01>

// -----

func.func @f(%x: tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>, %z: tensor<4x!quant.uniform<i8:f32, 2.000000e-01>>) {
  %y = tpu.max "y" %x, %z : (tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>, tensor<4x!quant.uniform<i8:f32, 2.000000e-01>>) -> tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>
  return
}

// CHECK: error: 'tpu.max': rhs must have the element type of lhs, {{.*}}
