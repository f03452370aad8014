// RUN: smalti-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'top.call': there is no function 'argmaxx' (did you mean 'argmax'?)}}
  %y = top.call "y" %x function = "argmaxx" attributes = {axis = 1} : (tensor<2x10xf32>) -> tensor<2x1xi64>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'top.call': argmax: axis 2 is none of a tensor of 2 axes}}
  %y = top.call "y" %x function = "argmax" attributes = {axis = 2} : (tensor<2x10xf32>) -> tensor<2x1xi64>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'top.call': argmax has no attribute 'largest' (there are: axis, keepdims, last)}}
  %y = top.call "y" %x function = "argmax" attributes = {axis = 1, largest = true} : (tensor<2x10xf32>) -> tensor<2x1xi64>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'top.call': cast needs the attribute 'to'}}
  %y = top.call "y" %x function = "cast" : (tensor<2x10xf32>) -> tensor<2x10xf32>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'top.call': attribute 'axis' must be an integer, got 'one'}}
  %y = top.call "y" %x function = "argmax" attributes = {axis = "one"} : (tensor<2x10xf32>) -> tensor<2x1xi64>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'top.call': an attribute is a bool, an integer (i64), a real (f64), a text or a list of them, got tensor<1xf32>}}
  %y = top.call "y" %x function = "argmax" attributes = {axis = tensor<1xf32>} : (tensor<2x10xf32>) -> tensor<2x1xi64>
  return
}

// -----

func.func @f(%x: tensor<4xui32>) {
  // expected-error @below {{'top.call': attribute 'direction' must be one of left, right, got 'up'}}
  %y = top.call "y" %x, %x function = "bit_shift" attributes = {direction = "up"} : (tensor<4xui32>, tensor<4xui32>) -> tensor<4xui32>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'top.call': top_k: count 11 is not from 0 to 10, the axis's elements}}
  %y = top.call "y" %x function = "top_k" attributes = {count = 11} : (tensor<2x10xf32>) -> tensor<2x11xf32>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'top.call': top_k has 2 results, there is none 2}}
  %y = top.call "y" %x function = "top_k" attributes = {count = 1} result = 2 : (tensor<2x10xf32>) -> tensor<2x1xf32>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'top.call': result must have elements of i64, got f32}}
  %y = top.call "y" %x function = "argmax" attributes = {axis = 1} : (tensor<2x10xf32>) -> tensor<2x1xf32>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'top.call': result has shape [2], expected [2, 1]}}
  %y = top.call "y" %x function = "argmax" attributes = {axis = 1} : (tensor<2x10xf32>) -> tensor<2xi64>
  return
}

// -----

func.func @f(%x: tensor<2x10xi1>) {
  // expected-error @below {{'top.call': argmax: x has elements of bool, expected i8, i16, i32, i64, u8, u16, u32, u64, f32, f16, bf16, f64}}
  %y = top.call "y" %x function = "argmax" attributes = {axis = 1} : (tensor<2x10xi1>) -> tensor<2x1xi64>
  return
}

// -----

func.func @f(%x: tensor<2x0xf32>) {
  // expected-error @below {{'top.call': argmax: an axis without elements has no extreme}}
  %y = top.call "y" %x function = "argmax" attributes = {axis = 1} : (tensor<2x0xf32>) -> tensor<2x1xi64>
  return
}

// -----

func.func @f(%x: tensor<2x3xi64>, %y: tensor<4xi64>) {
  // expected-error @below {{'top.call': add: [2, 3] and [4] do not broadcast}}
  %z = top.call "z" %x, %y function = "add" : (tensor<2x3xi64>, tensor<4xi64>) -> tensor<2x3xi64>
  return
}

// -----

func.func @f(%x: tensor<2x3xi64>, %y: tensor<3xi32>) {
  // expected-error @below {{'top.call': add: rhs has elements of i32, lhs has i64}}
  %z = top.call "z" %x, %y function = "add" : (tensor<2x3xi64>, tensor<3xi32>) -> tensor<2x3xi64>
  return
}

// -----

func.func @f(%x: tensor<2x3xi64>) {
  // expected-error @below {{'top.call': add: it takes 2 operands (lhs, rhs), got 1}}
  %z = top.call "z" %x function = "add" : (tensor<2x3xi64>) -> tensor<2x3xi64>
  return
}

// -----

func.func @f(%x: tensor<8x4xf32>, %i: tensor<3xf32>) {
  // expected-error @below {{'top.call': gather: indices has elements of f32, expected i32, i64}}
  %z = top.call "z" %x, %i function = "gather" : (tensor<8x4xf32>, tensor<3xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @f(%x: tensor<8x4xf32>, %i: tensor<3x5xi64>) {
  // expected-error @below {{'top.call': gather_elements: indices [3, 5] do not fit into data [8, 4] besides axis 0}}
  %z = top.call "z" %x, %i function = "gather_elements" : (tensor<8x4xf32>, tensor<3x5xi64>) -> tensor<3x5xf32>
  return
}

// -----

func.func @f(%x: tensor<8x4xf32>, %i: tensor<3x1xi64>, %u: tensor<3x5xf32>) {
  // expected-error @below {{'top.call': scatter_nd: updates have shape [3, 5], expected [3, 4]}}
  %z = top.call "z" %x, %i, %u function = "scatter_nd" : (tensor<8x4xf32>, tensor<3x1xi64>, tensor<3x5xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @f(%i: tensor<3xi64>, %v: tensor<3xf32>) {
  // expected-error @below {{'top.call': one_hot: values must be two, off and on, got shape [3]}}
  %z = top.call "z" %i, %v function = "one_hot" attributes = {depth = 4} : (tensor<3xi64>, tensor<3xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>, %a: tensor<2xi64>) {
  // expected-error @below {{'top.call': cumsum: axis must be one number, got shape [2]}}
  %y = top.call "y" %x, %a function = "cumsum" : (tensor<2x10xf32>, tensor<2xi64>) -> tensor<2x10xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3x4x4xf32>, %g: tensor<2x5x5x3xf32>) {
  // expected-error @below {{'top.call': grid_sample: grid must have shape [2, …, 2] for images [2, 3, 4, 4], got [2, 5, 5, 3]}}
  %y = top.call "y" %x, %g function = "grid_sample" : (tensor<2x3x4x4xf32>, tensor<2x5x5x3xf32>) -> tensor<2x3x5x5xf32>
  return
}

// -----

func.func @f(%x: tensor<2x10x2xf32>) {
  // expected-error @below {{'top.call': dft: only the spectrum of real numbers is one-sided}}
  %y = top.call "y" %x function = "dft" attributes = {one_sided = true} : (tensor<2x10x2xf32>) -> tensor<2x6x2xf32>
  return
}
