// RUN: smalti-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'tpu.host_call': there is no function 'argmacs' (did you mean 'argmax'?)}}
  %y = tpu.host_call "y" %x function = "argmacs" attributes = {axis = 1} : (tensor<2x10xf32>) -> tensor<2x1xi64>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'tpu.host_call': argmax: axis 2 is none of a tensor of 2 axes}}
  %y = tpu.host_call "y" %x function = "argmax" attributes = {axis = 2} : (tensor<2x10xf32>) -> tensor<2x1xi64>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'tpu.host_call': argmax has no attribute 'largest' (there are: axis, keepdims, last)}}
  %y = tpu.host_call "y" %x function = "argmax" attributes = {axis = 1, largest = true} : (tensor<2x10xf32>) -> tensor<2x1xi64>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'tpu.host_call': result must have elements of i64, got f32}}
  %y = tpu.host_call "y" %x function = "argmax" attributes = {axis = 1} : (tensor<2x10xf32>) -> tensor<2x1xf32>
  return
}

// -----

func.func @f(%x: tensor<2x10x!quant.uniform<i8:f32, 0.5>>) {
  // expected-error @below {{'tpu.host_call': inputs[0] is !quant.uniform<i8:f32, 5.000000e-01>: functions take floats, integers and bools as they are}}
  %y = tpu.host_call "y" %x function = "argmax" attributes = {axis = 1} : (tensor<2x10x!quant.uniform<i8:f32, 0.5>>) -> tensor<2x1xi64>
  return
}
