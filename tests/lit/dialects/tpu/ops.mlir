// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

func.func @quantized(%image: tensor<1x4x8x8xf32>) -> (tensor<1x10xf32>) {
  %x = tpu.cast "x" %image : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  %w = tpu.weight "w" key = "w" : tensor<2x4x3x3x!quant.uniform<i8<-127:127>:f32:0, {2.500000e-01,5.000000e-01}>>
  %b = tpu.weight "b" value = dense<[1, -2]> : tensor<2xi32> : tensor<2xi32>
  %conv = tpu.conv2d "conv" %x, %w, %b strides = [2, 2] pads = [1, 1, 1, 1] accumulator = "i32" clamp_low = 0.0 : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8<-127:127>:f32:0, {2.500000e-01,5.000000e-01}>>, tensor<2xi32>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01:-128>>
  %residual = tpu.conv2d "residual" %x, %w residual %conv strides = [2, 2] pads = [1, 1, 1, 1] accumulator = "i64" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8<-127:127>:f32:0, {2.500000e-01,5.000000e-01}>>, tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01:-128>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01>>
  %rq = tpu.requantize "rq" %residual multiplier = 1073741824 shift = 31 clamp_high = 6.0 : (tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>
  %clamp = tpu.clamp "clamp" %rq clamp_low = -1.0 clamp_high = 1.0 : (tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>
  %add = tpu.add "add" %clamp, %residual : (tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>, tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>
  %mul = tpu.mul "mul" %add, %residual : (tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>, tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>
  %max = tpu.max_pool "max" %mul kernel = [2, 2] strides = [2, 2] : (tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>) -> tensor<1x2x2x2x!quant.uniform<i8:f32, 1.000000e-01:1>>
  %avg = tpu.avg_pool "avg" %max kernel = [1, 1] : (tensor<1x2x2x2x!quant.uniform<i8:f32, 1.000000e-01:1>>) -> tensor<1x2x2x2x!quant.uniform<i8:f32, 5.000000e-02>>
  %index = tpu.weight "index" value = dense<[[0], [0], [1], [1]]> : tensor<4x1xi32> : tensor<4x1xi32>
  %gather = tpu.resample "gather" %avg, %index axis = 2 : (tensor<1x2x2x2x!quant.uniform<i8:f32, 5.000000e-02>>, tensor<4x1xi32>) -> tensor<1x2x4x2x!quant.uniform<i8:f32, 5.000000e-02>>
  %mean = tpu.reduce "mean" %gather kind = "mean" axes = [2, 3] : (tensor<1x2x4x2x!quant.uniform<i8:f32, 5.000000e-02>>) -> tensor<1x2x!quant.uniform<i8:f32, 4.000000e-02>>
  %swapped = tpu.transpose "swapped" %mean permutation = [1, 0] : (tensor<1x2x!quant.uniform<i8:f32, 4.000000e-02>>) -> tensor<2x1x!quant.uniform<i8:f32, 4.000000e-02>>
  %flat = tpu.reshape "flat" %swapped : (tensor<2x1x!quant.uniform<i8:f32, 4.000000e-02>>) -> tensor<1x2x!quant.uniform<i8:f32, 4.000000e-02>>
  %fw = tpu.weight "fw" seed = 1 : tensor<2x10x!quant.uniform<i8:f32, 2.000000e-02:4>>
  %fc = tpu.matmul "fc" %flat, %fw accumulator = "i32" : (tensor<1x2x!quant.uniform<i8:f32, 4.000000e-02>>, tensor<2x10x!quant.uniform<i8:f32, 2.000000e-02:4>>) -> tensor<1x10x!quant.uniform<i8:f32, 1.000000e+00>>
  %logits = tpu.cast "logits" %fc : (tensor<1x10x!quant.uniform<i8:f32, 1.000000e+00>>) -> tensor<1x10xf32>
  %p = tpu.softmax "p" %logits axis = 1 log : (tensor<1x10xf32>) -> tensor<1x10xf32>
  %sub = tpu.sub "sub" %p, %logits : (tensor<1x10xf32>, tensor<1x10xf32>) -> tensor<1x10xf32>
  %div = tpu.div "div" %sub, %logits clamp_low = 0.0 : (tensor<1x10xf32>, tensor<1x10xf32>) -> tensor<1x10xf32>
  return %div : tensor<1x10xf32>
}

// CHECK:      builtin.module {
// CHECK-NEXT:   func.func @quantized(%image: tensor<1x4x8x8xf32>) -> tensor<1x10xf32> {
// CHECK-NEXT:     %x = tpu.cast "x" %image : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>
// CHECK-NEXT:     %w = tpu.weight "w" key = "w" : tensor<2x4x3x3x!quant.uniform<i8<-127:127>:f32:0, {2.500000e-01,5.000000e-01}>>
// CHECK-NEXT:     %b = tpu.weight "b" value = dense<[1, -2]> : tensor<2xi32> : tensor<2xi32>
// CHECK-NEXT:     %conv = tpu.conv2d "conv" %x, %w, %b strides = [2, 2] pads = [1, 1, 1, 1] accumulator = "i32" clamp_low = 0.0 : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8<-127:127>:f32:0, {2.500000e-01,5.000000e-01}>>, tensor<2xi32>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01:-128>>
// CHECK-NEXT:     %residual = tpu.conv2d "residual" %x, %w residual %conv strides = [2, 2] pads = [1, 1, 1, 1] accumulator = "i64" : (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x4x3x3x!quant.uniform<i8<-127:127>:f32:0, {2.500000e-01,5.000000e-01}>>, tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01:-128>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01>>
// CHECK-NEXT:     %rq = tpu.requantize "rq" %residual multiplier = 1073741824 shift = 31 clamp_high = 6.0 : (tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>
// CHECK-NEXT:     %clamp = tpu.clamp "clamp" %rq clamp_low = -1.0 clamp_high = 1.0 : (tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>
// CHECK-NEXT:     %add = tpu.add "add" %clamp, %residual : (tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>, tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>
// CHECK-NEXT:     %mul = tpu.mul "mul" %add, %residual : (tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>, tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>
// CHECK-NEXT:     %max = tpu.max_pool "max" %mul kernel = [2, 2] strides = [2, 2] : (tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>) -> tensor<1x2x2x2x!quant.uniform<i8:f32, 1.000000e-01:1>>
// CHECK-NEXT:     %avg = tpu.avg_pool "avg" %max kernel = [1, 1] : (tensor<1x2x2x2x!quant.uniform<i8:f32, 1.000000e-01:1>>) -> tensor<1x2x2x2x!quant.uniform<i8:f32, 5.000000e-02>>
// CHECK-NEXT:     %index = tpu.weight "index" value = dense<{{\[\[}}0], [0], [1], [1]]> : tensor<4x1xi32> : tensor<4x1xi32>
// CHECK-NEXT:     %gather = tpu.resample "gather" %avg, %index axis = 2 : (tensor<1x2x2x2x!quant.uniform<i8:f32, 5.000000e-02>>, tensor<4x1xi32>) -> tensor<1x2x4x2x!quant.uniform<i8:f32, 5.000000e-02>>
// CHECK-NEXT:     %mean = tpu.reduce "mean" %gather kind = "mean" axes = [2, 3] : (tensor<1x2x4x2x!quant.uniform<i8:f32, 5.000000e-02>>) -> tensor<1x2x!quant.uniform<i8:f32, 4.000000e-02>>
// CHECK-NEXT:     %swapped = tpu.transpose "swapped" %mean permutation = [1, 0] : (tensor<1x2x!quant.uniform<i8:f32, 4.000000e-02>>) -> tensor<2x1x!quant.uniform<i8:f32, 4.000000e-02>>
// CHECK-NEXT:     %flat = tpu.reshape "flat" %swapped : (tensor<2x1x!quant.uniform<i8:f32, 4.000000e-02>>) -> tensor<1x2x!quant.uniform<i8:f32, 4.000000e-02>>
// CHECK-NEXT:     %fw = tpu.weight "fw" seed = 1 : tensor<2x10x!quant.uniform<i8:f32, 2.000000e-02:4>>
// CHECK-NEXT:     %fc = tpu.matmul "fc" %flat, %fw accumulator = "i32" : (tensor<1x2x!quant.uniform<i8:f32, 4.000000e-02>>, tensor<2x10x!quant.uniform<i8:f32, 2.000000e-02:4>>) -> tensor<1x10x!quant.uniform<i8:f32, 1.000000e+00>>
// CHECK-NEXT:     %logits = tpu.cast "logits" %fc : (tensor<1x10x!quant.uniform<i8:f32, 1.000000e+00>>) -> tensor<1x10xf32>
// CHECK-NEXT:     %p = tpu.softmax "p" %logits axis = 1 log : (tensor<1x10xf32>) -> tensor<1x10xf32>
// CHECK-NEXT:     %sub = tpu.sub "sub" %p, %logits : (tensor<1x10xf32>, tensor<1x10xf32>) -> tensor<1x10xf32>
// CHECK-NEXT:     %div = tpu.div "div" %sub, %logits clamp_low = 0.0 : (tensor<1x10xf32>, tensor<1x10xf32>) -> tensor<1x10xf32>
// CHECK-NEXT:     func.return %div : tensor<1x10xf32>
// CHECK-NEXT:   }
// CHECK-NEXT: }
