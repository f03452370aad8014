// RUN: smalti-opt %s --split-input-file -p "convert-top-to-tpu{target=default-8c quantize=f32},convert-tpu-to-tile" --verify-diagnostics

func.func @main(%x: tensor<16xf32>, %w: tensor<16x8xf32>) -> tensor<8xf32> attributes {smalti.inputs = ["x", "w"], smalti.outputs = ["y"]} {
  // expected-error @below {{tpu.matmul 'y' multiplies a vector, the matrix unit multiplies matrices}}
  %y = top.matmul "y" %x, %w : (tensor<16xf32>, tensor<16x8xf32>) -> tensor<8xf32>
  func.return %y : tensor<8xf32>
}

// -----

func.func @main(%x: tensor<4x16xf32>, %w: tensor<16xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x", "w"], smalti.outputs = ["y"]} {
  // expected-error @below {{tpu.matmul 'y' multiplies a vector, the matrix unit multiplies matrices}}
  %y = top.matmul "y" %x, %w : (tensor<4x16xf32>, tensor<16xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
