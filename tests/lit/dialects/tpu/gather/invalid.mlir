// RUN: smalti-opt %s --split-input-file --verify-diagnostics

func.func @f(%t: tensor<2x10xf32>, %i: tensor<3xi64>) {
  // expected-error @below {{the axes before axis 1 must have one element, the shape is [2, 10]}}
  %y = tpu.gather "y" %t, %i axis = 1 : (tensor<2x10xf32>, tensor<3xi64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%t: tensor<2x10xf32>, %i: tensor<3xi64>) {
  // expected-error @below {{axis 2 is not one of 2 axes}}
  %y = tpu.gather "y" %t, %i axis = 2 : (tensor<2x10xf32>, tensor<3xi64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%t: tensor<2x10xf32>, %i: tensor<3xi16>) {
  // expected-error @below {{indices must have elements of i32 or i64, got i16}}
  %y = tpu.gather "y" %t, %i axis = 0 : (tensor<2x10xf32>, tensor<3xi16>) -> tensor<3x10xf32>
  return
}

// -----

func.func @f(%t: tensor<2x10xf32>, %i: tensor<3xi64>) {
  // expected-error @below {{result must have the element type of input, f32, got f16}}
  %y = tpu.gather "y" %t, %i axis = 0 : (tensor<2x10xf32>, tensor<3xi64>) -> tensor<3x10xf16>
  return
}

// -----

!q = !quant.uniform<i8:f32:0, {5.000000e-01, 1.000000e+00}>
func.func @f(%t: tensor<2x10x!q>, %i: tensor<2xi64>) {
  // expected-error @below {{input must have one scale}}
  %y = tpu.gather "y" %t, %i axis = 0 : (tensor<2x10x!q>, tensor<2xi64>) -> tensor<2x10x!q>
  return
}
