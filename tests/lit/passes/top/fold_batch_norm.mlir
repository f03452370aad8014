// RUN: smalti-opt %s -p "top-fold-batch-norm" | filecheck %s
// RUN: smalti-opt %s -p "top-fold-batch-norm" --mlir-print-debuginfo | filecheck %s --check-prefix LOC

// scale / sqrt(variance + 0) = [2, 2]; the offset is bias − mean · [2, 2] = [-1, 3].
func.func @main(%x: tensor<1x2x1x1xf32>) -> tensor<1x2x1x1xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %w = top.weight "w" value = dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %scale = top.weight "scale" value = dense<[4.0, 2.0]> : tensor<2xf32> : tensor<2xf32>
  %bias = top.weight "bias" value = dense<[1.0, 5.0]> : tensor<2xf32> : tensor<2xf32>
  %mean = top.weight "mean" value = dense<[1.0, 1.0]> : tensor<2xf32> : tensor<2xf32>
  %variance = top.weight "variance" value = dense<[4.0, 1.0]> : tensor<2xf32> : tensor<2xf32>
  %c = top.conv2d "c" %x, %w : (tensor<1x2x1x1xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x1x1xf32> loc("Conv_0")
  %n = top.batch_norm "n" %c, %scale, %bias, %mean, %variance epsilon = 0.0 : (tensor<1x2x1x1xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x1x1xf32> loc("BN_1")
  %r = top.relu "r" %n : (tensor<1x2x1x1xf32>) -> tensor<1x2x1x1xf32> loc("Relu_2")
  %m = top.batch_norm "m" %r, %scale, %bias, %mean, %variance epsilon = 0.0 : (tensor<1x2x1x1xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x1x1xf32> loc("BN_3")
  func.return %m : tensor<1x2x1x1xf32>
}

// CHECK-LABEL: func.func @main
// CHECK:         %[[W:.*]] = top.weight "w" value = dense<{{\[\[\[\[2.0.*, \[\[4.0.*, \[\[\[6.0.*, \[\[8.0.*}}> : tensor<2x2x1x1xf32>
// CHECK-NEXT:    %[[B:.*]] = top.weight "n_bias" value = dense<[-1.000000e+00, 3.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:    %[[N:.*]] = top.conv2d "n" %x, %[[W]], %[[B]] : (tensor<1x2x1x1xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>)
// CHECK-NEXT:    %[[R:.*]] = top.relu "r" %[[N]]
// CHECK-NEXT:    %[[S:.*]] = top.weight "m_scale" value = dense<2.000000e+00> : tensor<2x1x1xf32>
// CHECK-NEXT:    %[[O:.*]] = top.weight "m_offset" value = dense<{{\[\[\[-1.0.*, \[\[3.0.*}}> : tensor<2x1x1xf32>
// CHECK-NEXT:    %[[P:.*]] = top.mul "m_scaled" %[[R]], %[[S]]
// CHECK-NEXT:    %[[M:.*]] = top.add "m" %[[P]], %[[O]]
// CHECK-NEXT:    func.return %[[M]]

// LOC: top.conv2d "n" {{.*}} loc(fused["Conv_0", "BN_1"])
// LOC: top.mul "m_scaled" {{.*}} loc("BN_3")
// LOC: top.add "m" {{.*}} loc("BN_3")
