// RUN: smalti-opt %s --split-input-file -p convert-tpu-to-tile --verify-diagnostics

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  // expected-error @below {{smalti.input_layouts has no layout 'hwcn'}}
  func.func @main(%x: tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"], smalti.input_layouts = ["hwcn"]} {
    %y = tpu.clamp "y" %x clamp_low = 0.0 : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
    func.return %y : tensor<1x3x4x4xf32>
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  // expected-error @below {{smalti.output_layouts must have the layout of each of 1 tensors, it is ["nhwc", "nhwc"]}}
  func.func @main(%x: tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"], smalti.output_layouts = ["nhwc", "nhwc"]} {
    %y = tpu.clamp "y" %x clamp_low = 0.0 : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
    func.return %y : tensor<1x3x4x4xf32>
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  // expected-error @below {{input 'x' is f32, and smalti.model_input_types says i8: i8 cannot become f32 without a scale}}
  func.func @main(%x: tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"], smalti.model_input_types = [i8]} {
    %y = tpu.clamp "y" %x clamp_low = 0.0 : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
    func.return %y : tensor<1x3x4x4xf32>
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  // expected-error @below {{smalti.model_output_types: no storage type for elements of type f80}}
  func.func @main(%x: tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"], smalti.model_output_types = [f80]} {
    %y = tpu.clamp "y" %x clamp_low = 0.0 : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
    func.return %y : tensor<1x3x4x4xf32>
  }
}
