// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f16}" --split-input-file --weights-out %t.safetensors | filecheck %s
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=bf16}" --split-input-file --weights-out %t2.safetensors | filecheck %s --check-prefix BF16

// Squares, their sum and its root are f32; what they divide is rounded when f16 is asked for.
func.func @length(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %epsilon = top.weight "epsilon" value = dense<1.0e-12> : tensor<f32> : tensor<f32>
  %a = top.relu "a" %x : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %s = top.mul "s" %a, %a : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %v = top.reduce "v" %s kind = "sum" axes = [1] keepdims : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %e = top.add "e" %v, %epsilon : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %r = top.unary "r" %e kind = "sqrt" : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %n = top.div "n" %a, %r : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  %y = top.unary "y" %n kind = "tanh" : (tensor<2x4xf32>) -> tensor<2x4xf32>
  func.return %y : tensor<2x4xf32>
}

// CHECK-LABEL: @length
// CHECK:         %a = tpu.clamp "a" %input0_f16
// CHECK-NEXT:    %a_f32 = tpu.cast "a_f32" %a
// CHECK-NEXT:    %s = tpu.mul "s" %a_f32, %a_f32
// CHECK-NEXT:    %v = tpu.reduce "v" %s kind = "sum" {{.*}} -> tensor<2x1xf32>
// CHECK-NEXT:    %epsilon = tpu.weight "epsilon" {{.*}} : tensor<f32>
// CHECK-NEXT:    %e = tpu.add "e" %v, %epsilon {{.*}} -> tensor<2x1xf32>
// CHECK-NEXT:    %r = tpu.unary "r" %e {{.*}} -> tensor<2x1xf32>
// CHECK-NEXT:    %n = tpu.div "n" %a_f32, %r {{.*}} -> tensor<2x4xf32>
// CHECK-NEXT:    %n_f16 = tpu.cast "n_f16" %n
// CHECK-NEXT:    %y = tpu.unary "y" %n_f16 {{.*}} -> tensor<2x4xf16>
// BF16-LABEL: @length
// BF16:          %n = tpu.div "n" %a_f32, %r {{.*}} -> tensor<2x4xf32>

// -----

// The mean that is squared and taken from the mean of squares is f32, too; its other reader takes it so.
func.func @variance(%x: tensor<2x4xf16>) -> (tensor<2x1xf16>, tensor<2x4xf16>) {
  %m = top.reduce "m" %x kind = "mean" axes = [1] keepdims : (tensor<2x4xf16>) -> tensor<2x1xf16>
  %s = top.unary "s" %x kind = "power" alpha = 2.0 : (tensor<2x4xf16>) -> tensor<2x4xf16>
  %v = top.reduce "v" %s kind = "mean" axes = [1] keepdims : (tensor<2x4xf16>) -> tensor<2x1xf16>
  %q = top.mul "q" %m, %m : (tensor<2x1xf16>, tensor<2x1xf16>) -> tensor<2x1xf16>
  %d = top.sub "d" %v, %q : (tensor<2x1xf16>, tensor<2x1xf16>) -> tensor<2x1xf16>
  %c = top.sub "c" %x, %m : (tensor<2x4xf16>, tensor<2x1xf16>) -> tensor<2x4xf16>
  func.return %d, %c : tensor<2x1xf16>, tensor<2x4xf16>
}

// CHECK-LABEL: @variance
// CHECK-NEXT:    %input0_f32 = tpu.cast "input0_f32" %x
// CHECK-NEXT:    %m = tpu.reduce "m" %input0_f32 {{.*}} -> tensor<2x1xf32>
// CHECK-NEXT:    %s = tpu.unary "s" %input0_f32 {{.*}} -> tensor<2x4xf32>
// CHECK-NEXT:    %v = tpu.reduce "v" %s {{.*}} -> tensor<2x1xf32>
// CHECK-NEXT:    %q = tpu.mul "q" %m, %m {{.*}} -> tensor<2x1xf32>
// CHECK-NEXT:    %d = tpu.sub "d" %v, %q {{.*}} -> tensor<2x1xf32>
// CHECK-NEXT:    %c = tpu.sub "c" %input0_f32, %m {{.*}} -> tensor<2x4xf32>
// CHECK-NEXT:    %d_f16 = tpu.cast "d_f16" %d
// CHECK-NEXT:    %c_f16 = tpu.cast "c_f16" %c

// -----

// A number that f16 makes 0 of, before a logarithm: so does f16 of what it is added to. bf16 holds it.
func.func @logarithm(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %epsilon = top.weight "epsilon" value = dense<1.0e-10> : tensor<f32> : tensor<f32>
  %p = top.mul "p" %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %a = top.add "a" %p, %epsilon : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %l = top.unary "l" %a kind = "log" : (tensor<4xf32>) -> tensor<4xf32>
  %z = top.relu "z" %l : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.clip "b" %z low = 1.0e-10 : (tensor<4xf32>) -> tensor<4xf32>
  %k = top.unary "k" %b kind = "log" : (tensor<4xf32>) -> tensor<4xf32>
  func.return %z, %k : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: @logarithm
// CHECK:         %p = tpu.mul "p" %x, %x {{.*}} -> tensor<4xf32>
// CHECK:         %a = tpu.add "a" %p, %epsilon {{.*}} -> tensor<4xf32>
// CHECK-NEXT:    %l = tpu.unary "l" %a {{.*}} -> tensor<4xf32>
// CHECK-NEXT:    %l_f16 = tpu.cast "l_f16" %l
// CHECK-NEXT:    %z = tpu.clamp "z" %l_f16 {{.*}} -> tensor<4xf16>
// CHECK-NEXT:    %z_f32 = tpu.cast "z_f32" %z
// CHECK-NEXT:    %b = tpu.clamp "b" %z_f32 {{.*}} -> tensor<4xf32>
// CHECK-NEXT:    %k = tpu.unary "k" %b {{.*}} -> tensor<4xf32>
// BF16-LABEL: @logarithm
// BF16:          %p = tpu.mul "p" %input0_bf16, %input0_bf16 {{.*}} -> tensor<4xbf16>
// BF16:          %a = tpu.add "a" %p, {{.*}} -> tensor<4xbf16>

// -----

// What softmaxes written out, and products, make of f16 stays f16.
func.func @narrow(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %e = top.unary "e" %x kind = "exp" : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %s = top.reduce "s" %e kind = "sum" axes = [1] keepdims : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %y = top.div "y" %e, %s : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  %q = top.mul "q" %y, %y : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  func.return %q : tensor<2x4xf32>
}

// CHECK-LABEL: @narrow
// CHECK:         %s = tpu.reduce "s" %e {{.*}} -> tensor<2x1xf16>
// CHECK-NEXT:    %y = tpu.div "y" %e, %s {{.*}} -> tensor<2x4xf16>
// CHECK-NEXT:    %q = tpu.mul "q" %y, %y {{.*}} -> tensor<2x4xf16>

// -----

// An input that is moved only to be quantized stays f32, so that it is rounded once.
func.func @quantized_input(%x: tensor<2x4xf32>) -> tensor<4x2x!quant.uniform<i8:f32, 0.5>> {
  %t = top.transpose "t" %x permutation = [1, 0] : (tensor<2x4xf32>) -> tensor<4x2xf32>
  %q = top.quantize "q" %t : (tensor<4x2xf32>) -> tensor<4x2x!quant.uniform<i8:f32, 0.5>>
  func.return %q : tensor<4x2x!quant.uniform<i8:f32, 0.5>>
}

// CHECK-LABEL: @quantized_input
// CHECK-NOT:     f16
// CHECK:         %t = tpu.transpose "t" %x {{.*}} -> tensor<4x2xf32>
// CHECK-NEXT:    %q = tpu.cast "q" %t
// CHECK-NOT:     f16
// BF16-LABEL: @quantized_input

// -----

// Squares, and averages of them, before a root are f32 where the network is one of f16, which soon is too small for them.
func.func @root_of_average(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32> {
  %s = top.mul "s" %x, %x : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %m = top.avg_pool "m" %s kernel = [2, 2] strides = [2, 2] : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
  %r = top.unary "r" %m kind = "sqrt" : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  func.return %r : tensor<1x2x2x2xf32>
}

// CHECK-LABEL: @root_of_average
// CHECK-NOT:     f16
// CHECK:         %r = tpu.unary "r" %m
// BF16-LABEL: @root_of_average
// BF16:          %m = tpu.avg_pool "m" {{.*}}bf16

// -----

// So are products of squares before a root, a logarithm or a division.
func.func @root_of_product(%x: tensor<2x4xf32>) -> tensor<2x3xf32> {
  %w = top.weight "w" seed = 1 : tensor<4x3xf32>
  %s = top.mul "s" %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %m = top.matmul "m" %s, %w : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  %r = top.unary "r" %m kind = "sqrt" : (tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return %r : tensor<2x3xf32>
}

// CHECK-LABEL: @root_of_product
// CHECK-NOT:     f16
// CHECK:         %m = tpu.matmul "m" {{.*}} -> tensor<2x3xf32>
// CHECK-NEXT:    %r = tpu.unary "r" %m
// CHECK-NOT:     f16
// BF16-LABEL: @root_of_product
// BF16:          %m = tpu.matmul "m" {{.*}} -> tensor<2x3xbf16>

// -----

// A product that no root follows is one of f16.
func.func @product_of_squares(%x: tensor<2x4xf32>) -> tensor<2x3xf32> {
  %w = top.weight "w" seed = 1 : tensor<4x3xf32>
  %s = top.mul "s" %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %m = top.matmul "m" %s, %w : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  func.return %m : tensor<2x3xf32>
}

// CHECK-LABEL: @product_of_squares
// CHECK:         %m = tpu.matmul "m" {{.*}} -> tensor<2x3xf16>
