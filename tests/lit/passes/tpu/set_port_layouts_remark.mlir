// RUN: smalti-opt %s -p 'tpu-set-port-layouts{layout=nhwc}' --verify-diagnostics

// expected-remark @below {{no input or output has four axes that could lie in nhwc}}
func.func @main(%v: tensor<1x3xf32>) -> tensor<1x3xf32> attributes {smalti.inputs = ["v"], smalti.outputs = ["w"]} {
  %w = tpu.clamp "w" %v clamp_low = 0.0 : (tensor<1x3xf32>) -> tensor<1x3xf32>
  func.return %w : tensor<1x3xf32>
}
