// RUN: smalti-opt %s -p 'tpu-set-port-layouts{layout=nhcw}' --verify-diagnostics

// expected-error @unknown {{there is no layout 'nhcw'}}
func.func @main(%v: tensor<1x3xf32>) -> tensor<1x3xf32> attributes {smalti.inputs = ["v"], smalti.outputs = ["w"]} {
  %w = tpu.clamp "w" %v clamp_low = 0.0 : (tensor<1x3xf32>) -> tensor<1x3xf32>
  func.return %w : tensor<1x3xf32>
}
