// RUN: smalti-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'tpu.host_call': kind must be one of argmax, argmin, cumsum, top_k_indices, top_k_values, to_i32, to_i64, to_f16, to_bf16, to_f32, got 'median'}}
  %y = tpu.host_call "y" %x kind = "median" axis = 1 length = 1 keepdims : (tensor<2x10xf32>) -> tensor<2x1xf32>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'tpu.host_call': axis 2 is none of an input of 2 axes}}
  %y = tpu.host_call "y" %x kind = "argmax" axis = 2 length = 1 keepdims : (tensor<2x10xf32>) -> tensor<2x1xi64>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'tpu.host_call': argmax has no flag largest}}
  %y = tpu.host_call "y" %x kind = "argmax" axis = 1 length = 1 keepdims largest : (tensor<2x10xf32>) -> tensor<2x1xi64>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'tpu.host_call': argmax of 10 elements has length 1 to 1, got 2}}
  %y = tpu.host_call "y" %x kind = "argmax" axis = 1 length = 2 keepdims : (tensor<2x10xf32>) -> tensor<2x2xi64>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'tpu.host_call': cumsum of 10 elements has length 10 to 10, got 3}}
  %y = tpu.host_call "y" %x kind = "cumsum" axis = 1 length = 3 keepdims : (tensor<2x10xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'tpu.host_call': top_k_values of 10 elements has length 0 to 10, got 11}}
  %y = tpu.host_call "y" %x kind = "top_k_values" axis = 1 length = 11 keepdims : (tensor<2x10xf32>) -> tensor<2x11xf32>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'tpu.host_call': top_k_values keeps its axis: keepdims is needed}}
  %y = tpu.host_call "y" %x kind = "top_k_values" axis = 1 length = 1 : (tensor<2x10xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'tpu.host_call': result must have elements of i64, got f32}}
  %y = tpu.host_call "y" %x kind = "argmax" axis = 1 length = 1 keepdims : (tensor<2x10xf32>) -> tensor<2x1xf32>
  return
}

// -----

func.func @f(%x: tensor<2x10xf32>) {
  // expected-error @below {{'tpu.host_call': result has shape [2, 1], expected [2]}}
  %y = tpu.host_call "y" %x kind = "argmax" axis = 1 length = 1 : (tensor<2x10xf32>) -> tensor<2x1xi64>
  return
}

// -----

func.func @f(%x: tensor<2x10xi1>) {
  // expected-error @below {{'tpu.host_call': argmax takes elements of f16, bf16, f32, got i1}}
  %y = tpu.host_call "y" %x kind = "argmax" axis = 1 length = 1 keepdims : (tensor<2x10xi1>) -> tensor<2x1xi64>
  return
}
