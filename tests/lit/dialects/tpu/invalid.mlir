// RUN: smalti-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, %b: tensor<2xi32>) {
  // expected-error @below {{'tpu.conv2d': result has shape [1, 2, 8, 8], expected [1, 2, 6, 6]}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, tensor<2xi32>) -> tensor<1x2x8x8x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, %b: tensor<2xf32>) {
  // expected-error @below {{'tpu.conv2d': bias must have elements of i32, got f32}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, tensor<2xf32>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, %b: tensor<3xi32>) {
  // expected-error @below {{'tpu.conv2d': bias must have shape [2], got [3]}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, tensor<3xi32>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, %b: tensor<2xi32>) {
  // expected-error @below {{'tpu.conv2d': quantized operands accumulate in i32 or i64, got 'f32'}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "f32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, tensor<2xi32>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, %b: tensor<2xi32>) {
  // expected-error @below {{'tpu.conv2d': quantized operands accumulate in i32 or i64, got 'i16'}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i16" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, tensor<2xi32>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, %b: tensor<2xi32>) {
  // expected-error @below {{'tpu.conv2d': result must be quantized, got elements of f32}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, tensor<2xi32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:1, {0.5,0.5,0.5,0.5}>>, %b: tensor<2xi32>) {
  // expected-error @below {{'tpu.conv2d': weight must be quantized along axis 0 (or per tensor), got !quant.uniform<i8:f32:1, {5.000000e-01,5.000000e-01,5.000000e-01,5.000000e-01}>}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:1, {0.5,0.5,0.5,0.5}>>, tensor<2xi32>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32, 2.500000e-01:4>>, %b: tensor<2xi32>) {
  // expected-error @below {{'tpu.conv2d': weight must have zero point 0, got 4}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32, 2.500000e-01:4>>, tensor<2xi32>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {0.5:1,0.5}>>, %b: tensor<2xi32>) {
  // expected-error @below {{'tpu.conv2d': weight quantized along an axis must have zero points 0}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {0.5:1,0.5}>>, tensor<2xi32>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3xf32>, %b: tensor<2xi32>) {
  // expected-error @below {{'tpu.conv2d': weight must be quantized as the input is, got elements of f32}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3xf32>, tensor<2xi32>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32:1, {0.5,0.5,0.5,0.5}>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, %b: tensor<2xi32>) {
  // expected-error @below {{'tpu.conv2d': input must have one scale, got !quant.uniform<i8:f32:1, {5.000000e-01,5.000000e-01,5.000000e-01,5.000000e-01}>}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32:1, {0.5,0.5,0.5,0.5}>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, tensor<2xi32>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i32:f32, 0.5>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, %b: tensor<2xi32>) {
  // expected-error @below {{'tpu.conv2d': input must be stored as one of i8, u8, i16, got !quant.uniform<i32:f32, 5.000000e-01>}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i32:f32, 0.5>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, tensor<2xi32>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {0.5}>>, %b: tensor<2xi32>) {
  // expected-error @below {{'tpu.conv2d': 1 scales for axis 0 of size 2}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {0.5}>>, tensor<2xi32>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, %b: tensor<2x!quant.uniform<i32:f32:0, {1.25e-01,0.5}>>) {
  // expected-error @below {{'tpu.conv2d': bias must have the scales of input times weight and zero points 0}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, tensor<2x!quant.uniform<i32:f32:0, {1.25e-01,0.5}>>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, %b: tensor<2xi32>, %r: tensor<1x2x6x5x!quant.uniform<i8:f32, 2.500000e-01:4>>) {
  // expected-error @below {{'tpu.conv2d': residual must have the result's shape, got tensor<1x2x6x5x!quant.uniform<i8:f32, 2.500000e-01:4>>}}
  %y = tpu.conv2d "y" %x, %w, %b residual %r accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, tensor<2xi32>, tensor<1x2x6x5x!quant.uniform<i8:f32, 2.500000e-01:4>>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, %b: tensor<2xi32>, %r: tensor<1x2x6x6xf32>) {
  // expected-error @below {{'tpu.conv2d': residual must be quantized, got elements of f32}}
  %y = tpu.conv2d "y" %x, %w, %b residual %r accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, tensor<2xi32>, tensor<1x2x6x6xf32>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, %b: tensor<2xi32>, %r: tensor<1x2x6x6x!quant.uniform<u8:f32, 0.5>>) {
  // expected-error @below {{'tpu.conv2d': residual is stored as u8, result as i8}}
  %y = tpu.conv2d "y" %x, %w, %b residual %r accumulator = "i32" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, tensor<2xi32>, tensor<1x2x6x6x!quant.uniform<u8:f32, 0.5>>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, %b: tensor<2xi32>) {
  // expected-error @below {{'tpu.conv2d': clamp bounds 2.0 and 1.0 leave nothing between them}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" clamp_low = 2.0 clamp_high = 1.0 : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>, tensor<2xi32>) -> tensor<1x2x6x6x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<2x4x3x3xf32>, %b: tensor<2xf32>) {
  // expected-error @below {{'tpu.conv2d': floats accumulate in f32, got 'i32'}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "i32" : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>, tensor<2xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<2x4x3x3xi8>, %b: tensor<2xf32>) {
  // expected-error @below {{'tpu.conv2d': weight must have float elements, got i8}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "f32" : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xi8>, tensor<2xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<2x4x3x3xf32>, %b: tensor<2xi32>) {
  // expected-error @below {{'tpu.conv2d': bias must have elements of f32, got i32}}
  %y = tpu.conv2d "y" %x, %w, %b accumulator = "f32" : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>, tensor<2xi32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

func.func @f(%a: tensor<2x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %b: tensor<4x2x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>) {
  // expected-error @below {{'tpu.matmul': 2 scales for axis 0 of size 4}}
  %y = tpu.matmul "y" %a, %b accumulator = "i32" : (tensor<2x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<4x2x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>) -> tensor<2x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @f(%a: tensor<2x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %b: tensor<2x4x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>) {
  // expected-error @below {{'tpu.matmul': weight must be quantized along axis 1 (or per tensor), got !quant.uniform<i8:f32:0, {2.500000e-01,5.000000e-01}>}}
  %y = tpu.matmul "y" %a, %b accumulator = "i32" : (tensor<2x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>) -> tensor<2x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @f(%a: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %b: tensor<2xf32>) {
  // expected-error @below {{'tpu.add': rhs must be quantized, got elements of f32}}
  %y = tpu.add "y" %a, %b : (tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2xf32>) -> tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @f(%a: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %b: tensor<2x!quant.uniform<u8:f32, 0.5>>) {
  // expected-error @below {{'tpu.add': rhs is stored as u8, lhs as i8}}
  %y = tpu.add "y" %a, %b : (tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x!quant.uniform<u8:f32, 0.5>>) -> tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @f(%a: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %b: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.add': lhs must have float elements, got !quant.uniform<i8:f32, 5.000000e-01:-3>}}
  %y = tpu.add "y" %a, %b : (tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%a: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %b: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.sub': lhs must have float elements, got !quant.uniform<i8:f32, 5.000000e-01:-3>}}
  %y = tpu.sub "y" %a, %b : (tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @f(%a: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %b: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.div': lhs must have float elements, got !quant.uniform<i8:f32, 5.000000e-01:-3>}}
  %y = tpu.div "y" %a, %b : (tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @f(%a: tensor<2xf32>, %b: tensor<2xf16>) {
  // expected-error @below {{'tpu.mul': rhs must have elements of f32, as lhs, got f16}}
  %y = tpu.mul "y" %a, %b : (tensor<2xf32>, tensor<2xf16>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.cast': one side must be a float: between quantized types use tpu.requantize}}
  %y = tpu.cast "y" %x : (tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<2x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<2xi32>) {
  // expected-error @below {{'tpu.cast': input must be a float or quantized, got i32}}
  %y = tpu.cast "y" %x : (tensor<2xi32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<2xf32>) {
  // expected-error @below {{'tpu.cast': result must have one scale, got !quant.uniform<i8:f32:0, {2.500000e-01,5.000000e-01}>}}
  %y = tpu.cast "y" %x : (tensor<2xf32>) -> tensor<2x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>
  return
}

// -----

func.func @f(%x: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.cast': result has shape [3], expected [2]}}
  %y = tpu.cast "y" %x : (tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<3xf32>
  return
}

// -----

func.func @f(%x: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.requantize': multiplier 1073741824 and shift 30 are not the ratio of the scales, 1073741824 and 29}}
  %y = tpu.requantize "y" %x multiplier = 1073741824 shift = 30 : (tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<2x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.requantize': result must be quantized, got elements of f32}}
  %y = tpu.requantize "y" %x multiplier = 1073741824 shift = 30 : (tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<2x!quant.uniform<i8:f32, 1.0e+10>>) {
  // expected-error @below {{'tpu.requantize': a scale of 4e+10 is too large: they must stay below 2^31}}
  %y = tpu.requantize "y" %x multiplier = 1073741824 shift = 30 : (tensor<2x!quant.uniform<i8:f32, 1.0e+10>>) -> tensor<2x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.clamp': result must have the element type of input, !quant.uniform<i8:f32, 5.000000e-01:-3>, got !quant.uniform<i8:f32, 2.500000e-01:4>}}
  %y = tpu.clamp "y" %x : (tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<2x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.max_pool': result must have the element type of input, !quant.uniform<i8:f32, 5.000000e-01:-3>, got !quant.uniform<i8:f32, 2.500000e-01:4>}}
  %y = tpu.max_pool "y" %x kernel = [2, 2] strides = [2, 2] : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<1x4x4x4x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.avg_pool': result must be quantized, got elements of f32}}
  %y = tpu.avg_pool "y" %x kernel = [2, 2] strides = [2, 2] : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.reduce': result is stored as u8, input as i8}}
  %y = tpu.reduce "y" %x kind = "mean" axes = [2, 3] : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<1x4x!quant.uniform<u8:f32, 0.5>>
  return
}

// -----

func.func @f(%x: tensor<1x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.reduce': result must have the element type of input, !quant.uniform<i8:f32, 5.000000e-01:-3>, got !quant.uniform<i8:f32, 2.500000e-01:-3>}}
  %y = tpu.reduce "y" %x kind = "max" axes = [1] : (tensor<1x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<1x!quant.uniform<i8:f32, 2.500000e-01:-3>>
  return
}

// -----

func.func @f(%x: tensor<1x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.reduce': l2 is for floats, got elements of !quant.uniform<i8:f32, 5.000000e-01:-3>}}
  %y = tpu.reduce "y" %x kind = "l2" axes = [1] : (tensor<1x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<1x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @f(%x: tensor<2x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>) {
  // expected-error @below {{'tpu.reshape': input must have one scale, got !quant.uniform<i8:f32:0, {2.500000e-01,5.000000e-01}>}}
  %y = tpu.reshape "y" %x : (tensor<2x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>) -> tensor<2x1x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>
  return
}

// -----

func.func @f(%x: tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.reshape': result must have the element type of input, !quant.uniform<i8:f32, 5.000000e-01:-3>, got !quant.uniform<i8:f32, 2.500000e-01:4>}}
  %y = tpu.reshape "y" %x : (tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<2x1x!quant.uniform<i8:f32, 2.500000e-01:4>>
  return
}

// -----

func.func @f(%x: tensor<2x3x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.transpose': result has shape [2, 3], expected [3, 2]}}
  %y = tpu.transpose "y" %x permutation = [1, 0] : (tensor<2x3x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<2x3x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @f(%x: tensor<2x3x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'tpu.softmax': input must have float elements, got !quant.uniform<i8:f32, 5.000000e-01:-3>}}
  %y = tpu.softmax "y" %x axis = 1 : (tensor<2x3x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<2x3x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @f(%x: tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %i: tensor<2x2xi32>, %w: tensor<2x2xf32>) {
  // expected-error @below {{'tpu.resample': input must have float elements, got !quant.uniform<i8:f32, 5.000000e-01:-3>}}
  %y = tpu.resample "y" %x, %i, %w axis = 0 : (tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x2xi32>, tensor<2x2xf32>) -> tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @f(%x: tensor<4xf32>, %i: tensor<2x2xi32>) {
  // expected-error @below {{'tpu.resample': without weight there is one tap, index has 2}}
  %y = tpu.resample "y" %x, %i axis = 0 : (tensor<4xf32>, tensor<2x2xi32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>, %i: tensor<2x2xi32>, %w: tensor<2x1xf32>) {
  // expected-error @below {{'tpu.resample': weight must have the shape of index, [2, 2], got [2, 1]}}
  %y = tpu.resample "y" %x, %i, %w axis = 0 : (tensor<4xf32>, tensor<2x2xi32>, tensor<2x1xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>, %i: tensor<2x1xi64>) {
  // expected-error @below {{'tpu.resample': index must have elements of i32, got i64}}
  %y = tpu.resample "y" %x, %i axis = 0 : (tensor<4xf32>, tensor<2x1xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>, %i: tensor<2xi32>) {
  // expected-error @below {{'tpu.resample': index must have shape [out,taps], got [2]}}
  %y = tpu.resample "y" %x, %i axis = 0 : (tensor<4xf32>, tensor<2xi32>) -> tensor<2xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{'tpu.weight': no storage type for quantized elements of i2}}
  %y = tpu.weight "y" seed = 1 : tensor<2x!quant.uniform<i2:f32, 0.5>>
  return
}

// -----

func.func @f() {
  // expected-error @below {{'tpu.weight': value has elements of i16, expected i8}}
  %y = tpu.weight "y" value = dense<1> : tensor<2xi16> : tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @f(%x: tensor<3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>) {
  // expected-error @below {{'tpu.clamp': 2 scales for axis 0 of size 3}}
  %y = tpu.clamp "y" %x : (tensor<3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>) -> tensor<3x!quant.uniform<i8:f32:0, {2.5e-01,5.0e-01}>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<2x4x3xf32>) {
  // expected-error @below {{'tpu.conv2d': weight must have shape [O,C/groups,KH,KW], got [2, 4, 3]}}
  %y = tpu.conv2d "y" %x, %w accumulator = "f32" : (tensor<1x4x8x8xf32>, tensor<2x4x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{'tpu.slice': steps must be positive, got [1, -1]}}
  %y = tpu.slice "y" %a starts = [0, 2] sizes = [2, 3] steps = [1, -1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x!quant.uniform<i8:f32, 5.000000e-01>>) {
  // expected-error @below {{'tpu.pad': value 64.0 is outside the range of !quant.uniform<i8:f32, 5.000000e-01>}}
  %y = tpu.pad "y" %a low = [0] high = [1] value = 64.0 : (tensor<2x!quant.uniform<i8:f32, 5.000000e-01>>) -> tensor<3x!quant.uniform<i8:f32, 5.000000e-01>>
  return
}

// -----

func.func @f(%a: tensor<2x!quant.uniform<i8:f32, 5.000000e-01>>, %b: tensor<2x!quant.uniform<i8:f32, 2.500000e-01>>) {
  // expected-error @below {{'tpu.concat': inputs[1] must have the element type of result, !quant.uniform<i8:f32, 5.000000e-01>, got !quant.uniform<i8:f32, 2.500000e-01>}}
  %y = tpu.concat "y" %a, %b axis = 0 : (tensor<2x!quant.uniform<i8:f32, 5.000000e-01>>, tensor<2x!quant.uniform<i8:f32, 2.500000e-01>>) -> tensor<4x!quant.uniform<i8:f32, 5.000000e-01>>
  return
}

// -----

func.func @f(%x: tensor<2x8x!quant.uniform<i8:f32, 5.000000e-01>>) {
  // expected-error @below {{'tpu.normalize': input must have float elements, got !quant.uniform<i8:f32, 5.000000e-01>}}
  %y = tpu.normalize "y" %x kind = "rms" axes = [1] epsilon = 0.0 : (tensor<2x8x!quant.uniform<i8:f32, 5.000000e-01>>) -> tensor<2x8x!quant.uniform<i8:f32, 5.000000e-01>>
  return
}

// -----

func.func @f(%x: tensor<2x8xf16>, %w: tensor<8xf16>) {
  // expected-error @below {{'tpu.normalize': scale must have elements of f32, got f16}}
  %y = tpu.normalize "y" %x, %w kind = "rms" axes = [1] epsilon = 0.0 : (tensor<2x8xf16>, tensor<8xf16>) -> tensor<2x8xf16>
  return
}

// -----

func.func @f(%x: tensor<2x8xf16>) {
  // expected-error @below {{'tpu.normalize': kind must be one of mean_variance, rms, l1, l2, got 'max'}}
  %y = tpu.normalize "y" %x kind = "max" axes = [1] epsilon = 0.0 : (tensor<2x8xf16>) -> tensor<2x8xf16>
  return
}

// -----

func.func @f(%x: tensor<2x8x!quant.uniform<i8:f32, 5.000000e-01>>) {
  // expected-error @below {{'tpu.local_response_norm': input must have float elements, got !quant.uniform<i8:f32, 5.000000e-01>}}
  %y = tpu.local_response_norm "y" %x size = 3 alpha = 1.0 beta = 1.0 offset = 1.0 : (tensor<2x8x!quant.uniform<i8:f32, 5.000000e-01>>) -> tensor<2x8x!quant.uniform<i8:f32, 5.000000e-01>>
  return
}
