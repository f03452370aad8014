// RUN: smalti-opt %s -p 'tpu-set-port-layouts{layout=nhwc}' --split-input-file --verify-diagnostics

// expected-remark @below {{no input or output has four axes that could lie in nhwc}}
func.func @main(%v: tensor<1x3xf32>) -> tensor<1x3xf32> attributes {smalti.inputs = ["v"], smalti.outputs = ["w"]} {
  %w = tpu.clamp "w" %v clamp_low = 0.0 : (tensor<1x3xf32>) -> tensor<1x3xf32>
  func.return %w : tensor<1x3xf32>
}

// -----

// expected-remark @below {{output 'h' stays in the model's layout: what computes it writes its rows one after the other}}
func.func @main(%v: tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32> attributes {smalti.inputs = ["v"], smalti.outputs = ["h"]} {
  %c = tpu.clamp "c" %v clamp_low = 0.0 : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  %h = tpu.host_call "h" %c function = "cumsum" attributes = {axis = 1} : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  func.return %h : tensor<1x3x4x4xf32>
}

// -----

// expected-remark @+2 {{input 'b' stays in the model's layout: no unit changes the layout of bools}}
// expected-remark @+1 {{output 'y' stays in the model's layout: no unit changes the layout of bools}}
func.func @main(%b: tensor<1x3x4x4xi1>) -> tensor<1x3x4x4xi1> attributes {smalti.inputs = ["b"], smalti.outputs = ["y"]} {
  func.return %b : tensor<1x3x4x4xi1>
}
