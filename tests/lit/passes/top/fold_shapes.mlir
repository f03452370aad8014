// RUN: smalti-opt %s -p "top-fold-shapes" --weights-out %t.safetensors | filecheck %s
// RUN: smalti-opt %s -p "top-fold-shapes" --weights-out %t.loc.safetensors --mlir-print-debuginfo | filecheck %s --check-prefix LOC

func.func @main(%x: tensor<1x8x4x4xf32>) -> tensor<8x16xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %a = top.reshape "a" %x : (tensor<1x8x4x4xf32>) -> tensor<1x128xf32> loc("Reshape_0")
  %b = top.reshape "b" %a : (tensor<1x128xf32>) -> tensor<8x16xf32> loc("Reshape_1")
  %c = top.transpose "c" %b permutation = [0, 1] : (tensor<8x16xf32>) -> tensor<8x16xf32> loc("Transpose_2")
  %k = top.weight "k" value = dense<[1.0, -2.0]> : tensor<2xf32> : tensor<2xf32>
  %r = top.relu "r" %k : (tensor<2xf32>) -> tensor<2xf32> loc("Relu_3")
  %m = top.reduce "m" %r kind = "mean" axes = [0] keepdims : (tensor<2xf32>) -> tensor<1xf32> loc("Mean_4")
  %y = top.add "y" %c, %m : (tensor<8x16xf32>, tensor<1xf32>) -> tensor<8x16xf32> loc("Add_5")
  func.return %y : tensor<8x16xf32>
}

// Casts of constants are computed, casts to a value's own type are none.
func.func @casts(%x: tensor<2xf16>) -> tensor<2xf16> {
  %k = top.weight "k2" value = dense<[1.0, -2.0]> : tensor<2xf32> : tensor<2xf32>
  %h = top.cast "h" %k : (tensor<2xf32>) -> tensor<2xf16>
  %s = top.cast "s" %x : (tensor<2xf16>) -> tensor<2xf16>
  %y = top.add "y2" %s, %h : (tensor<2xf16>, tensor<2xf16>) -> tensor<2xf16>
  func.return %y : tensor<2xf16>
}

// x + 0, x − 0, x · 1 and x / 1 are x; max(x, 0), min(x, 0), x^0 and a PReLU of slope 0 are not.
func.func @neutral(%x: tensor<2xf32>) -> tensor<2xf32> {
  %zero = top.weight "zero" value = dense<0.0> : tensor<1xf32> : tensor<1xf32>
  %one = top.weight "one" value = dense<1.0> : tensor<1xf32> : tensor<1xf32>
  %a = top.add "a3" %zero, %x : (tensor<1xf32>, tensor<2xf32>) -> tensor<2xf32>
  %b = top.sub "b3" %a, %zero : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  %c = top.mul "c3" %one, %b : (tensor<1xf32>, tensor<2xf32>) -> tensor<2xf32>
  %d = top.div "d3" %c, %one : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  %e = top.max "e3" %d, %zero : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  %f = top.min "f3" %e, %zero : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  %g = top.power "g3" %f, %zero : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  %y = top.prelu "y3" %g, %zero : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  func.return %y : tensor<2xf32>
}

// Results without elements, and results of nothing else than tensors without elements, are constants.
func.func @nothing(%x: tensor<3x0xf32>, %z: tensor<3xf32>) -> (tensor<3xf32>, tensor<0x3xf32>, tensor<3x0xi64>) {
  %s = top.reduce "s4" %x kind = "prod" axes = [1] : (tensor<3x0xf32>) -> tensor<3xf32>
  %y = top.add "y4" %z, %s : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  %t = top.transpose "t4" %x permutation = [1, 0] : (tensor<3x0xf32>) -> tensor<0x3xf32>
  %y_rows = top.reshape "y_rows4" %y : (tensor<3xf32>) -> tensor<3x1xf32>
  %i = top.call "i4" %y_rows function = "top_k" attributes = {count = 0} result = 1 : (tensor<3x1xf32>) -> tensor<3x0xi64>
  func.return %y, %t, %i : tensor<3xf32>, tensor<0x3xf32>, tensor<3x0xi64>
}

// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %b = top.reshape "b" %x : (tensor<1x8x4x4xf32>) -> tensor<8x16xf32>
// CHECK-NEXT:    %m = top.weight "m" value = dense<5.000000e-01> : tensor<1xf32> : tensor<1xf32>
// CHECK-NEXT:    %y = top.add "y" %b, %m : (tensor<8x16xf32>, tensor<1xf32>) -> tensor<8x16xf32>
// CHECK-NEXT:    func.return %y

// CHECK-LABEL: func.func @casts
// CHECK-NEXT:    %h = top.weight "h" key = "h" : tensor<2xf16>
// CHECK-NEXT:    %y = top.add "y2" %x, %h : (tensor<2xf16>, tensor<2xf16>) -> tensor<2xf16>

// CHECK-LABEL: func.func @neutral
// CHECK:         top.max "e3" %x, %zero
// CHECK-NEXT:    top.min "f3"
// CHECK-NEXT:    top.power "g3"
// CHECK-NEXT:    top.prelu "y3"

// LOC: top.reshape "b" {{.*}} loc(fused["Reshape_0", "Reshape_1", "Transpose_2"])
// LOC: top.weight "m" {{.*}} loc("Mean_4")
// LOC: top.add "y" {{.*}} loc("Add_5")

// CHECK-LABEL: func.func @nothing
// CHECK-NEXT:    %s = top.weight "s4" value = dense<1.000000e+00> : tensor<3xf32> : tensor<3xf32>
// CHECK-NEXT:    %y = top.add "y4" %z, %s : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
// CHECK-NEXT:    %t = top.weight "t4" value = dense<> : tensor<0x3xf32> : tensor<0x3xf32>
// CHECK-NEXT:    %i = top.weight "i4" key = "i4" : tensor<3x0xi64>
// CHECK-NEXT:    func.return %y, %t, %i

// A constant that is quantized, and moved, keeps its scale.
func.func @quantized() -> tensor<2x3xf32> {
  %k = top.weight "k5" value = dense<[[1.0, -2.0], [0.5, 0.0], [3.0, 4.0]]> : tensor<3x2xf32> : tensor<3x2xf32>
  %q = top.quantize "q5" %k : (tensor<3x2xf32>) -> tensor<3x2x!quant.uniform<u16:f32, 2.500000e-01:9>>
  %t = top.transpose "t5" %q permutation = [1, 0] : (tensor<3x2x!quant.uniform<u16:f32, 2.500000e-01:9>>) -> tensor<2x3x!quant.uniform<u16:f32, 2.500000e-01:9>>
  %y = top.dequantize "y5" %t : (tensor<2x3x!quant.uniform<u16:f32, 2.500000e-01:9>>) -> tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @quantized
// CHECK-NEXT:    %t = top.weight "t5" key = "t5" : tensor<2x3x!quant.uniform<u16:f32, 2.500000e-01:9>>
// CHECK-NEXT:    %y = top.dequantize "y5" %t
