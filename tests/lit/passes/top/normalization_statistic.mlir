// RUN: smalti-opt %s -p "top-recognize-normalization" --split-input-file | filecheck %s

// As jax writes it: mean(x²) − mean(x)² of sums over n, clipped at 0, with reshapes for the axis, and the scale in the
// factor.
func.func @main(%x: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) {
  %epsilon = top.weight "epsilon" value = dense<1.000000e-05> : tensor<f32> : tensor<f32>
  %n = top.weight "n" value = dense<2.500000e-01> : tensor<f32> : tensor<f32>
  %w = top.weight "w" seed = 1 : tensor<4xf32>
  %sum = top.reduce "sum" %x kind = "sum" axes = [1] : (tensor<4x4xf32>) -> tensor<4xf32>
  %mean = top.mul "mean" %sum, %n : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %s = top.mul "s" %x, %x : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %squares = top.reduce "squares" %s kind = "sum" axes = [1] : (tensor<4x4xf32>) -> tensor<4xf32>
  %ms = top.mul "ms" %n, %squares : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %mm = top.mul "mm" %mean, %mean : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %v = top.sub "v" %ms, %mm : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %c = top.clip "c" %v low = 0.0 : (tensor<4xf32>) -> tensor<4xf32>
  %e = top.add "e" %c, %epsilon : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %p = top.unary "p" %e kind = "power" alpha = -0.5 : (tensor<4xf32>) -> tensor<4xf32>
  %k = top.reshape "k" %p : (tensor<4xf32>) -> tensor<4x1xf32>
  %mk = top.reshape "mk" %mean : (tensor<4xf32>) -> tensor<4x1xf32>
  %f = top.mul "f" %k, %w : (tensor<4x1xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  %d = top.sub "d" %x, %mk : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  %y = top.mul "y" %d, %f : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
// CHECK:      func.func @main
// CHECK:        %y = top.normalize "y" %x, %w kind = "mean_variance" axes = [1] epsilon =

  // Without the reshape, row i's mean and deviation meet column i.
  %d2 = top.sub "d2" %x, %mean : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  %z = top.mul "z" %d2, %p : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
// CHECK-NOT:    top.normalize
// CHECK:        %d2 = top.sub
// CHECK-NEXT:   %z = top.mul "z" %d2

  // The factor of a sum is not 1/n.
  %m3 = top.add "m3" %squares, %epsilon : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %q = top.unary "q" %m3 kind = "sqrt" : (tensor<4xf32>) -> tensor<4xf32>
  %r = top.reshape "r" %q : (tensor<4xf32>) -> tensor<4x1xf32>
  %u = top.div "u" %x, %r : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
// CHECK:        %u = top.div "u" %x
  return %y, %z, %u : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// The reshape of the squares moves the axis of size 1, so that axis 1 of the mean is axis 0 of x.
func.func @moved(%x: tensor<4x4x1xf32>) -> tensor<4x4x1xf32> {
  %epsilon = top.weight "epsilon" value = dense<1.000000e-05> : tensor<f32> : tensor<f32>
  %s = top.mul "s" %x, %x : (tensor<4x4x1xf32>, tensor<4x4x1xf32>) -> tensor<4x4x1xf32>
  %k = top.reshape "k" %s : (tensor<4x4x1xf32>) -> tensor<1x4x4xf32>
  %m = top.reduce "m" %k kind = "mean" axes = [1] keepdims : (tensor<1x4x4xf32>) -> tensor<1x1x4xf32>
  %b = top.reshape "b" %m : (tensor<1x1x4xf32>) -> tensor<4x1x1xf32>
  %e = top.add "e" %b, %epsilon : (tensor<4x1x1xf32>, tensor<f32>) -> tensor<4x1x1xf32>
  %r = top.unary "r" %e kind = "sqrt" : (tensor<4x1x1xf32>) -> tensor<4x1x1xf32>
  %y = top.div "y" %x, %r : (tensor<4x4x1xf32>, tensor<4x1x1xf32>) -> tensor<4x4x1xf32>
  return %y : tensor<4x4x1xf32>
}
// CHECK-LABEL: @moved
// CHECK-NOT:     top.normalize
// CHECK:         %y = top.div "y" %x, %r
