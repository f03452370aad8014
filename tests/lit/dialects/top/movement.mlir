// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

func.func @moves(%a: tensor<1x2x4xf32>, %b: tensor<1x3x4xf32>) -> tensor<1x3x6xf32> {
  %one = top.concat "one" %a axis = 0 : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %c = top.concat "c" %one, %b, %a axis = 1 : (tensor<1x2x4xf32>, tensor<1x3x4xf32>, tensor<1x2x4xf32>) -> tensor<1x7x4xf32>
  %s = top.slice "s" %c starts = [0, 6, 1] sizes = [1, 3, 2] steps = [1, -3, 2] : (tensor<1x7x4xf32>) -> tensor<1x3x2xf32>
  %g = top.gather "g" %s axis = 2 indices = [1, 0, 1] : (tensor<1x3x2xf32>) -> tensor<1x3x3xf32>
  %p = top.pad "p" %g low = [0, 0, 1] high = [0, 0, 1] : (tensor<1x3x3xf32>) -> tensor<1x3x5xf32>
  %q = top.pad "q" %p low = [0, 0, 0] high = [0, 0, 1] value = -1.5 : (tensor<1x3x5xf32>) -> tensor<1x3x6xf32>
  return %q : tensor<1x3x6xf32>
}

// CHECK:      func.func @moves
// CHECK-NEXT:   %one = top.concat "one" %a axis = 0 : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
// CHECK-NEXT:   %c = top.concat "c" %one, %b, %a axis = 1 : (tensor<1x2x4xf32>, tensor<1x3x4xf32>, tensor<1x2x4xf32>) -> tensor<1x7x4xf32>
// CHECK-NEXT:   %s = top.slice "s" %c starts = [0, 6, 1] sizes = [1, 3, 2] steps = [1, -3, 2] : (tensor<1x7x4xf32>) -> tensor<1x3x2xf32>
// CHECK-NEXT:   %g = top.gather "g" %s axis = 2 indices = [1, 0, 1] : (tensor<1x3x2xf32>) -> tensor<1x3x3xf32>
// CHECK-NEXT:   %p = top.pad "p" %g low = [0, 0, 1] high = [0, 0, 1] : (tensor<1x3x3xf32>) -> tensor<1x3x5xf32>
// CHECK-NEXT:   %q = top.pad "q" %p low = [0, 0, 0] high = [0, 0, 1] value = -1.5 : (tensor<1x3x5xf32>) -> tensor<1x3x6xf32>
