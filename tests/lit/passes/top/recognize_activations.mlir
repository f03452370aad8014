// RUN: smalti-opt %s -p "top-recognize-activations" | filecheck %s
// RUN: smalti-opt %s -p "top-recognize-activations" --mlir-print-debuginfo | filecheck %s --check-prefix LOC

func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %s = top.unary "s" %x kind = "sigmoid" : (tensor<4xf32>) -> tensor<4xf32> loc("Sigmoid_0")
  %y = top.mul "y" %x, %s : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("Mul_1")
  %t = top.unary "t" %x kind = "tanh" : (tensor<4xf32>) -> tensor<4xf32>
  %z = top.mul "z" %x, %t : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y, %z : tensor<4xf32>, tensor<4xf32>
}

// CHECK:      func.func @main
// CHECK-NEXT:   %y = top.unary "y" %x kind = "swish" alpha = 1.0 :
// What is no activation stays.
// CHECK-NEXT:   %t = top.unary "t" %x kind = "tanh" :
// CHECK-NEXT:   %z = top.mul "z" %x, %t :
// LOC: top.unary "y" {{.*}} loc(fused["Sigmoid_0", "Mul_1"])
