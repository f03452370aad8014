// RUN: smalti-opt %s -p "top-fold-movement" --mlir-print-debuginfo | filecheck %s

!x = tensor<1x6x4x4xf32>

func.func @main(%x: !x) -> (tensor<1x6x4x4xf32>, tensor<1x6x2x2xf32>, tensor<1x3x4x4xf32>, !x, !x, tensor<1x6x6x6xf32>) {
  // Zeros around the pixels are the convolution's padding.
  %p = top.pad "p" %x low = [0, 0, 0, 1] high = [0, 0, 1, 0] : (!x) -> tensor<1x6x5x5xf32> loc("Pad")
  %w = top.weight "w" seed = 1 : tensor<6x6x2x2xf32>
  %c = top.conv2d "c" %p, %w : (tensor<1x6x5x5xf32>, tensor<6x6x2x2xf32>) -> !x loc("Conv")

  // A channel shuffle is a gather.
  %s = top.reshape "s" %c : (!x) -> tensor<1x2x3x4x4xf32> loc("Split")
  %t = top.transpose "t" %s permutation = [0, 2, 1, 3, 4] : (tensor<1x2x3x4x4xf32>) -> tensor<1x3x2x4x4xf32> loc("Swap")
  %u = top.reshape "u" %t : (tensor<1x3x2x4x4xf32>) -> !x loc("Join")

  // Slices of slices are slices, and those of one part of a concat are that part's.
  %a = top.slice "a" %x starts = [0, 0, 3, 0] sizes = [1, 6, 4, 4] steps = [1, 1, -1, 1] : (!x) -> !x
  %b = top.slice "b" %a starts = [0, 0, 1, 2] sizes = [1, 6, 2, 2] steps = [1, 1, 2, 1] : (!x) -> tensor<1x6x2x2xf32>
  %k = top.concat "k" %x, %u axis = 1 : (!x, !x) -> tensor<1x12x4x4xf32>
  %d = top.slice "d" %k starts = [0, 7, 0, 0] sizes = [1, 3, 4, 4] steps = [1, 2, 1, 1] : (tensor<1x12x4x4xf32>) -> tensor<1x3x4x4xf32>

  // What broadcasting repeats need not be repeated.
  %m = top.slice "m" %x starts = [0, 0, 0, 0] sizes = [1, 6, 4, 1] steps = [1, 1, 1, 1] : (!x) -> tensor<1x6x4x1xf32>
  %e = top.gather "e" %m axis = 3 indices = [0, 0, 0, 0] : (tensor<1x6x4x1xf32>) -> !x
  %y = top.add "y" %e, %x : (!x, !x) -> !x

  // Numbers below all others are a max pool's padding, unless a window would have nothing else.
  %l = top.pad "l" %x low = [0, 0, 1, 1] high = [0, 0, 1, 1] value = 0xFFF0000000000000 : (!x) -> tensor<1x6x6x6xf32>
  %v = top.max_pool "v" %l kernel = [3, 3] strides = [1, 1] : (tensor<1x6x6x6xf32>) -> !x
  %o = top.max_pool "o" %l kernel = [1, 1] strides = [1, 1] : (tensor<1x6x6x6xf32>) -> tensor<1x6x6x6xf32>
  return %u, %b, %d, %y, %v, %o : !x, tensor<1x6x2x2xf32>, tensor<1x3x4x4xf32>, !x, !x, tensor<1x6x6x6xf32>
}

// CHECK:      func.func @main
// CHECK-NEXT:   %w = top.weight
// CHECK-NEXT:   %c = top.conv2d "c" %x, %w pads = [0, 1, 1, 0] : {{.*}} loc(fused["Pad", "Conv"])
// CHECK-NEXT:   %u = top.gather "u" %c axis = 1 indices = [0, 3, 1, 4, 2, 5] : {{.*}} loc(fused["Split", "Swap", "Join"])
// CHECK-NEXT:   %b = top.slice "b" %x starts = [0, 0, 2, 2] sizes = [1, 6, 2, 2] steps = [1, 1, -2, 1]
// CHECK-NEXT:   %d = top.slice "d" %u starts = [0, 1, 0, 0] sizes = [1, 3, 4, 4] steps = [1, 2, 1, 1]
// CHECK-NEXT:   %m = top.slice "m" %x
// CHECK-NEXT:   %y = top.add "y" %m, %x
// CHECK-NEXT:   %l = top.pad
// CHECK-NEXT:   %v = top.max_pool "v" %x kernel = [3, 3] pads = [1, 1, 1, 1]
// CHECK-NEXT:   %o = top.max_pool "o" %l
// CHECK-NEXT:   func.return %u, %b, %d, %y, %v, %o
