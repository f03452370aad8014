// RUN: smalti-opt %s -p "top-recognize-normalization" | filecheck %s
// RUN: smalti-opt %s -p "top-recognize-normalization" --mlir-print-debuginfo | filecheck %s --check-prefix LOC

func.func @main(%x: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %epsilon = top.weight "epsilon" value = dense<1.000000e-05> : tensor<f32> : tensor<f32>
  %w = top.weight "w" seed = 1 : tensor<4xf32>
  %b = top.weight "b" seed = 2 : tensor<4xf32>
  %m = top.reduce "m" %x kind = "mean" axes = [1] keepdims : (tensor<2x4xf32>) -> tensor<2x1xf32> loc("Mean")
  %d = top.sub "d" %x, %m : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32> loc("Sub")
  %s = top.mul "s" %d, %d : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32> loc("Pow")
  %v = top.reduce "v" %s kind = "mean" axes = [1] keepdims : (tensor<2x4xf32>) -> tensor<2x1xf32> loc("Mean_1")
  %e = top.add "e" %v, %epsilon : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32> loc("Add")
  %r = top.unary "r" %e kind = "sqrt" : (tensor<2x1xf32>) -> tensor<2x1xf32> loc("Sqrt")
  %n = top.div "n" %d, %r : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32> loc("Div")
  %t = top.mul "t" %n, %w : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32> loc("Mul")
  %y = top.add "y" %t, %b : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32> loc("Add_1")
  %s2 = top.mul "s2" %y, %y : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %v2 = top.reduce "v2" %s2 kind = "mean" axes = [0] keepdims : (tensor<2x4xf32>) -> tensor<1x4xf32>
  %e2 = top.add "e2" %v2, %epsilon : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
  %r2 = top.unary "r2" %e2 kind = "sqrt" : (tensor<1x4xf32>) -> tensor<1x4xf32>
  %z = top.div "z" %x, %r2 : (tensor<2x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
  return %y, %z : tensor<2x4xf32>, tensor<2x4xf32>
}

// CHECK:      func.func @main
// CHECK:        %b = top.weight "b"
// CHECK-NEXT:   %y = top.normalize "y" %x, %w bias %b kind = "mean_variance" axes = [1] epsilon =
// What is divided by the root mean square of something else stays.
// CHECK-NEXT:   %s2 = top.mul "s2" %y, %y :
// CHECK-NEXT:   %v2 = top.reduce
// CHECK-NEXT:   %e2 = top.add
// CHECK-NEXT:   %r2 = top.unary
// CHECK-NEXT:   %z = top.div "z" %x, %r2 :
// LOC: top.normalize "y" {{.*}} loc(fused["Mean", "Sub", "Pow", "Mean_1", "Add", "Sqrt", "Div", "Mul", "Add_1"])
