// RUN: smalti-opt %s -p convert-tpu-to-tile | filecheck %s

// A result that is put out twice is copied to the second output. Its copy has the name of that output, unless an op has it.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<2x8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>) attributes {smalti.inputs = ["x"], smalti.outputs = ["first", "y", "third"]} {
    %y = tpu.clamp "y" %x clamp_low = 0.0 : (tensor<2x8xf32>) -> tensor<2x8xf32>
    func.return %y, %y, %y : tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>
  }
}

// CHECK: tpu.clamp "y"
// CHECK: tpu.reshape "y.copy"
// CHECK: tpu.reshape "third"
