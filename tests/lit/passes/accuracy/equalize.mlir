// RUN: smalti-opt %s -p "top-equalize" | filecheck %s

func.func @main(%x: tensor<1x4xf32>) -> tensor<1x2xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %w = top.weight "w" value = dense<[[8.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]> : tensor<4x2xf32>
  %b = top.weight "b" value = dense<[4.0, 2.0]> : tensor<2xf32>
  %a = top.matmul "a" %x, %w, %b : (tensor<1x4xf32>, tensor<4x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %r = top.relu "r" %a : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %v = top.weight "v" value = dense<[[2.0, 1.0], [1.0, 4.0]]> : tensor<2x2xf32>
  %y = top.matmul "y" %r, %v : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  func.return %y : tensor<1x2xf32>
}

// Factors of 2 and 1/2.
// CHECK:      top.weight "w" value = dense<{{\[\[}}4.0{{.*}}, 2.0{{.*}}], [
// CHECK-NEXT: top.weight "b" value = dense<[2.0{{.*}}, 4.0{{.*}}]>
// CHECK-NEXT: top.matmul "a"
// CHECK-NEXT: top.relu "r"
// CHECK-NEXT: top.weight "v" value = dense<{{\[\[}}4.0{{.*}}, 2.0{{.*}}], [{{5.0*e-01|0.5}}, 2.0{{.*}}]]>
// CHECK-NEXT: top.matmul "y"
