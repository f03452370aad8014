// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f32},tpu-fuse-activation,convert-tpu-to-tile,tile-cut-to-local-memory,tile-assign-addresses,convert-tile-to-isa" --verify-numerics=random:3 | filecheck %s
// RUN: not smalti-opt %s -p "canonicalize" --verify-numerics=random: 2>&1 | filecheck %s --check-prefix=SEED
// RUN: not smalti-opt %s -p "canonicalize" --verify-numerics=absent.npz 2>&1 | filecheck %s --check-prefix=FILE

func.func @main(%x: tensor<1x3x6x6xf32>) -> tensor<1x3x6x6xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["z"]} {
  %y = top.add "y" %x, %x : (tensor<1x3x6x6xf32>, tensor<1x3x6x6xf32>) -> tensor<1x3x6x6xf32> loc("Add_0")
  %z = top.relu "z" %y : (tensor<1x3x6x6xf32>) -> tensor<1x3x6x6xf32> loc("Relu_1")
  func.return %z : tensor<1x3x6x6xf32>
}

// CHECK: isa.program @main

// SEED: error: 'random:' has no seed
// SEED: hint: write random:0

// FILE: absent.npz: error: no such file

// A conversion to int8 is right where the inputs stay in the calibrated range, as random ones do.
// RUN: smalti-opt %S/../../data/conv.top.mlir -p "convert-top-to-tpu{target=edge-1c quantize=int8}" --verify-numerics=random:0 | filecheck %s --check-prefix=INT8
// INT8: tpu.conv2d
