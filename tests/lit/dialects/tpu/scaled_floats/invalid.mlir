// RUN: smalti-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, %w: tensor<3x2xf16>) {
  // expected-error @below {{'tpu.matmul': input and weight must both be scaled, got !tpu.scaled<f8E4M3FN:f16, 2.500000e-01> and f16}}
  %y = tpu.matmul "y" %x, %w accumulator = "f32" : (tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, tensor<3x2xf16>) -> tensor<1x2xf16>
  return
}

// -----

func.func @f(%x: tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, %w: tensor<3x2x!tpu.scaled<f8E5M2:f16, 0.5>>) {
  // expected-error @below {{'tpu.matmul': weight must be stored as f8E4M3FN, as input, got !tpu.scaled<f8E5M2:f16, 5.000000e-01>}}
  %y = tpu.matmul "y" %x, %w accumulator = "f32" : (tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, tensor<3x2x!tpu.scaled<f8E5M2:f16, 0.5>>) -> tensor<1x2xf16>
  return
}

// -----

func.func @f(%x: tensor<1x3x!tpu.scaled<f8E4M3FN:f16:1, {0.5,0.5,0.5}>>, %w: tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {0.5,0.125}>>) {
  // expected-error @below {{'tpu.matmul': input must have one scale, got !tpu.scaled<f8E4M3FN:f16:1, {5.000000e-01,5.000000e-01,5.000000e-01}>}}
  %y = tpu.matmul "y" %x, %w accumulator = "f32" : (tensor<1x3x!tpu.scaled<f8E4M3FN:f16:1, {0.5,0.5,0.5}>>, tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {0.5,0.125}>>) -> tensor<1x2xf16>
  return
}

// -----

func.func @f(%x: tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, %w: tensor<3x2x!tpu.scaled<f8E4M3FN:f16:0, {0.5,0.5,0.5}>>) {
  // expected-error @below {{'tpu.matmul': weight must be scaled along axis 1, got !tpu.scaled<f8E4M3FN:f16:0, {5.000000e-01,5.000000e-01,5.000000e-01}>}}
  %y = tpu.matmul "y" %x, %w accumulator = "f32" : (tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, tensor<3x2x!tpu.scaled<f8E4M3FN:f16:0, {0.5,0.5,0.5}>>) -> tensor<1x2xf16>
  return
}

// -----

func.func @f(%x: tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, %w: tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {0.5}>>) {
  // expected-error @below {{'tpu.matmul': 1 scales for axis 1 of size 2}}
  %y = tpu.matmul "y" %x, %w accumulator = "f32" : (tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {0.5}>>) -> tensor<1x2xf16>
  return
}

// -----

func.func @f(%x: tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, %w: tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {0.5,0.125}>>) {
  // expected-error @below {{'tpu.matmul': result must have float elements, got i8}}
  %y = tpu.matmul "y" %x, %w accumulator = "f32" : (tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {0.5,0.125}>>) -> tensor<1x2xi8>
  return
}

// -----

func.func @f(%x: tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, %w: tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {0.5,0.125}>>) {
  // expected-error @below {{'tpu.matmul': floats accumulate in f32, got 'i32'}}
  %y = tpu.matmul "y" %x, %w accumulator = "i32" : (tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {0.5,0.125}>>) -> tensor<1x2xf16>
  return
}

// -----

func.func @f(%x: tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, %w: tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {0.5,0.125}>>, %b: tensor<2xf16>) {
  // expected-error @below {{'tpu.matmul': bias must have elements of f32, got f16}}
  %y = tpu.matmul "y" %x, %w, %b accumulator = "f32" : (tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>, tensor<3x2x!tpu.scaled<f8E4M3FN:f16:1, {0.5,0.125}>>, tensor<2xf16>) -> tensor<1x2xf16>
  return
}

// -----

func.func @f(%x: tensor<1x3xi8>) {
  // expected-error @below {{'tpu.cast': input must have float elements, got i8}}
  %y = tpu.cast "y" %x : (tensor<1x3xi8>) -> tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.25>>
  return
}

// -----

// expected-error @below {{scaled floats are stored as f8E4M3FN or f8E5M2, got f8E3M4}}
func.func @f(%x: tensor<1x3x!tpu.scaled<f8E3M4:f16, 0.25>>) {
  return
}

// -----

// expected-error @below {{expressed type must be a float, got i8}}
func.func @f(%x: tensor<1x3x!tpu.scaled<f8E4M3FN:i8, 0.25>>) {
  return
}

// -----

// expected-error @below {{scale 0.0 is not a positive number}}
func.func @f(%x: tensor<1x3x!tpu.scaled<f8E4M3FN:f16, 0.0>>) {
  return
}
