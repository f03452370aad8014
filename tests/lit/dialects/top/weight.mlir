// RUN: smalti-opt %s | filecheck %s
// RUN: smalti-opt %s | smalti-opt | filecheck %s

// The type of a constant stands for the type of the result, too, where the text ends after it.
func.func @main() -> (tensor<2x1xf32>, tensor<3xi64>, tensor<f32>, tensor<2xf32>) attributes {smalti.inputs = [], smalti.outputs = ["a", "b", "c", "d"]} {
  %a = top.weight "a" value = dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %b = top.weight "b" value = dense<[1, 2, 3]> : tensor<3xi64> loc("constant")
  %c = top.weight "c" value = dense<4.0> : tensor<f32>  // a comment
  %d = top.weight "d" value = dense<[5.0, 6.0]> : tensor<2xf32> : tensor<2xf32>
  func.return %a, %b, %c, %d : tensor<2x1xf32>, tensor<3xi64>, tensor<f32>, tensor<2xf32>
}

// CHECK:      %a = top.weight "a" value = dense<{{\[\[}}1.000000e+00], [2.000000e+00]]> : tensor<2x1xf32> : tensor<2x1xf32>
// CHECK-NEXT: %b = top.weight "b" value = dense<[1, 2, 3]> : tensor<3xi64> : tensor<3xi64>
// CHECK-NEXT: %c = top.weight "c" value = dense<4.000000e+00> : tensor<f32> : tensor<f32>
// CHECK-NEXT: %d = top.weight "d" value = dense<[5.000000e+00, 6.000000e+00]> : tensor<2xf32> : tensor<2xf32>
