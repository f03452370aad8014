// RUN: smalti-opt %s -p "top-smooth-quant{samples=%S/samples.npz alpha=0.5}" | filecheck %s
// RUN: not smalti-opt %s -p "top-smooth-quant{samples=%S/samples.npz alpha=2}" 2>&1 | filecheck %s --check-prefix ALPHA
// RUN: not smalti-opt %s -p "top-smooth-quant{samples=%S/none.npz}" 2>&1 | filecheck %s --check-prefix NONE

func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["r"]} {
  %g = top.weight "g" value = dense<[0.1, 1.0, 30.0, 0.5]> : tensor<4xf32>
  %n = top.normalize "n" %x, %g kind = "mean_variance" axes = [1] epsilon = 1.0e-5 : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  %w = top.weight "w" seed = 1 : tensor<4x4xf32>
  %p = top.matmul "p" %n, %w : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %r = top.add "r" %p, %n : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  func.return %r : tensor<1x4xf32>
}

// A normalization of its own for the product, another for the residual connection.
// CHECK:      %[[N:.*]] = top.normalize "n" %x
// CHECK:      %[[S:.*]] = top.normalize "n_smooth" %x
// CHECK:      %[[P:.*]] = top.matmul "p" %[[S]]
// CHECK-NEXT: %[[R:.*]] = top.add "r" %[[P]], %[[N]]

// ALPHA: option 'alpha' is 2.0, expected 0 to 1

// NONE: none.npz: error: no such file
