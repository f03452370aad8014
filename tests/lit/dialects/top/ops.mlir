// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

func.func @network(%image: tensor<1x4x8x8xf32>) -> (tensor<1x10xf32>) {
  %w = top.weight "w" key = "conv1.weight" : tensor<8x4x3x3xf32>
  %b = top.weight "b" value = dense<0.5> : tensor<8xf32> : tensor<8xf32>
  %conv = top.conv2d "conv1" %image, %w, %b strides = [2, 2] pads = [1, 1, 1, 1] : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>, tensor<8xf32>) -> tensor<1x8x4x4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>> loc("Conv_0")
  %dw = top.weight "dw" seed = 7 : tensor<8x1x3x3xf32>
  %depthwise = top.conv2d "conv2" %conv, %dw pads = [2, 2, 2, 2] dilations = [2, 2] groups = 8 : (tensor<1x8x4x4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>, tensor<8x1x3x3xf32>) -> tensor<1x8x4x4xf32>
  %norm = top.batch_norm "bn" %depthwise, %b, %b, %b, %b epsilon = 1.000000e-05 : (tensor<1x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x8x4x4xf32>
  %relu = top.relu "relu" %norm : (tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
  %clip = top.clip "clip" %relu low = 0.0 high = 6.0 : (tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
  %half = top.clip "half" %clip low = 0xFFF0000000000000 : (tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
  %add = top.add "add" %half, %clip : (tensor<1x8x4x4xf32>, tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
  %one = top.weight "one" value = dense<[[[0.1]], [[16777216.0]], [[0x7F800000]], [[-3.0]], [[0.0]], [[1.0]], [[2.0]], [[3.0]]]> : tensor<8x1x1xf32> : tensor<8x1x1xf32>
  %sub = top.sub "sub" %add, %one : (tensor<1x8x4x4xf32>, tensor<8x1x1xf32>) -> tensor<1x8x4x4xf32>
  %mul = top.mul "mul" %sub, %one : (tensor<1x8x4x4xf32>, tensor<8x1x1xf32>) -> tensor<1x8x4x4xf32>
  %div = top.div "div" %mul, %one : (tensor<1x8x4x4xf32>, tensor<8x1x1xf32>) -> tensor<1x8x4x4xf32>
  %max = top.max_pool "max" %div kernel = [3, 3] strides = [2, 2] ceil_mode : (tensor<1x8x4x4xf32>) -> tensor<1x8x2x2xf32>
  %avg = top.avg_pool "avg" %max kernel = [2, 2] pads = [1, 1, 0, 0] count_include_pad : (tensor<1x8x2x2xf32>) -> tensor<1x8x2x2xf32>
  %resized = top.resize "resize" %avg mode = "linear" scales = [1.0, 1.0, 2.0, 2.0] coordinate_transformation_mode = "asymmetric" antialias : (tensor<1x8x2x2xf32>) -> tensor<1x8x4x4xf32>
  %mean = top.reduce "mean" %resized kind = "mean" axes = [2, 3] keepdims : (tensor<1x8x4x4xf32>) -> tensor<1x8x1x1xf32>
  %flat = top.reshape "flat" %mean : (tensor<1x8x1x1xf32>) -> tensor<1x8xf32>
  %swapped = top.transpose "swapped" %flat permutation = [1, 0] : (tensor<1x8xf32>) -> tensor<8x1xf32>
  %back = top.transpose "back" %swapped permutation = [1, 0] : (tensor<8x1xf32>) -> tensor<1x8xf32>
  %fw = top.weight "fw" seed = -3 : tensor<8x10xf32>
  %fb = top.weight "fb" seed = 4 : tensor<10xf32>
  %fc = top.matmul "fc" %back, %fw, %fb : (tensor<1x8xf32>, tensor<8x10xf32>, tensor<10xf32>) -> tensor<1x10xf32>
  %p = top.softmax "p" %fc axis = 1 {note = "an attribute"} : (tensor<1x10xf32>) -> tensor<1x10xf32>
  return %p : tensor<1x10xf32>
}

// CHECK:      builtin.module {
// CHECK-NEXT:   func.func @network(%image: tensor<1x4x8x8xf32>) -> tensor<1x10xf32> {
// CHECK-NEXT:     %w = top.weight "w" key = "conv1.weight" : tensor<8x4x3x3xf32>
// CHECK-NEXT:     %b = top.weight "b" value = dense<5.000000e-01> : tensor<8xf32> : tensor<8xf32>
// CHECK-NEXT:     %conv = top.conv2d "conv1" %image, %w, %b strides = [2, 2] pads = [1, 1, 1, 1] : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>, tensor<8xf32>) -> tensor<1x8x4x4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>
// CHECK-NEXT:     %dw = top.weight "dw" seed = 7 : tensor<8x1x3x3xf32>
// CHECK-NEXT:     %depthwise = top.conv2d "conv2" %conv, %dw pads = [2, 2, 2, 2] dilations = [2, 2] groups = 8 : (tensor<1x8x4x4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>, tensor<8x1x3x3xf32>) -> tensor<1x8x4x4xf32>
// CHECK-NEXT:     %norm = top.batch_norm "bn" %depthwise, %b, %b, %b, %b epsilon = 1.000000e-05 : (tensor<1x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x8x4x4xf32>
// CHECK-NEXT:     %relu = top.relu "relu" %norm : (tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
// CHECK-NEXT:     %clip = top.clip "clip" %relu low = 0.0 high = 6.0 : (tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
// CHECK-NEXT:     %half = top.clip "half" %clip low = 0xFFF0000000000000 : (tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
// CHECK-NEXT:     %add = top.add "add" %half, %clip : (tensor<1x8x4x4xf32>, tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
// CHECK-NEXT:     %one = top.weight "one" value = dense<"0xCDCCCC3D0000804B0000807F000040C0000000000000803F0000004000004040"> : tensor<8x1x1xf32> : tensor<8x1x1xf32>
// CHECK-NEXT:     %sub = top.sub "sub" %add, %one : (tensor<1x8x4x4xf32>, tensor<8x1x1xf32>) -> tensor<1x8x4x4xf32>
// CHECK-NEXT:     %mul = top.mul "mul" %sub, %one : (tensor<1x8x4x4xf32>, tensor<8x1x1xf32>) -> tensor<1x8x4x4xf32>
// CHECK-NEXT:     %div = top.div "div" %mul, %one : (tensor<1x8x4x4xf32>, tensor<8x1x1xf32>) -> tensor<1x8x4x4xf32>
// CHECK-NEXT:     %max = top.max_pool "max" %div kernel = [3, 3] strides = [2, 2] ceil_mode : (tensor<1x8x4x4xf32>) -> tensor<1x8x2x2xf32>
// CHECK-NEXT:     %avg = top.avg_pool "avg" %max count_include_pad kernel = [2, 2] pads = [1, 1, 0, 0] : (tensor<1x8x2x2xf32>) -> tensor<1x8x2x2xf32>
// CHECK-NEXT:     %resized = top.resize "resize" %avg mode = "linear" scales = [1.0, 1.0, 2.0, 2.0] coordinate_transformation_mode = "asymmetric" antialias : (tensor<1x8x2x2xf32>) -> tensor<1x8x4x4xf32>
// CHECK-NEXT:     %mean = top.reduce "mean" %resized kind = "mean" axes = [2, 3] keepdims : (tensor<1x8x4x4xf32>) -> tensor<1x8x1x1xf32>
// CHECK-NEXT:     %flat = top.reshape "flat" %mean : (tensor<1x8x1x1xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %swapped = top.transpose "swapped" %flat permutation = [1, 0] : (tensor<1x8xf32>) -> tensor<8x1xf32>
// CHECK-NEXT:     %back = top.transpose "back" %swapped permutation = [1, 0] : (tensor<8x1xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %fw = top.weight "fw" seed = -3 : tensor<8x10xf32>
// CHECK-NEXT:     %fb = top.weight "fb" seed = 4 : tensor<10xf32>
// CHECK-NEXT:     %fc = top.matmul "fc" %back, %fw, %fb : (tensor<1x8xf32>, tensor<8x10xf32>, tensor<10xf32>) -> tensor<1x10xf32>
// CHECK-NEXT:     %p = top.softmax "p" %fc axis = 1 {note = "an attribute"} : (tensor<1x10xf32>) -> tensor<1x10xf32>
// CHECK-NEXT:     func.return %p : tensor<1x10xf32>
// CHECK-NEXT:   }
// CHECK-NEXT: }
