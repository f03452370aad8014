// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

// Numbers beyond the range of their type are infinite, as in MLIR; lists with such are printed as bytes.
func.func @f(%x: tensor<1x3xf32>) -> (tensor<1x3xbf16>, tensor<1x3xf16>) {
  %h = top.cast "h" %x : (tensor<1x3xf32>) -> tensor<1x3xf16>
  %b = top.cast "b" %h : (tensor<1x3xf16>) -> tensor<1x3xbf16>
  %big = top.weight "big" value = dense<[70000.0, -1.0e9, 65519.0]> : tensor<3xf16> : tensor<3xf16>
  %bits = top.weight "bits" value = dense<[0x7C00, 1.0, 0xFC00]> : tensor<3xf16> : tensor<3xf16>
  %fine = top.weight "fine" value = dense<[1.5, -2.0, 0.0]> : tensor<3xf16> : tensor<3xf16>
  %wide = top.weight "wide" value = dense<[3.4e38, -3.38e38, 1.0e39]> : tensor<3xbf16> : tensor<3xbf16>
  %single = top.weight "single" value = dense<1.0e39> : tensor<3xf32> : tensor<3xf32>
  %c = top.weight "c" value = dense<1.0> : tensor<3xf32> : tensor<3xf32>
  %n = top.batch_norm "n" %b, %c, %c, %c, %c epsilon = 1.0e-05 : (tensor<1x3xbf16>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3xbf16>
  return %n, %h : tensor<1x3xbf16>, tensor<1x3xf16>
}

// CHECK:      %h = top.cast "h" %x : (tensor<1x3xf32>) -> tensor<1x3xf16>
// CHECK-NEXT: %b = top.cast "b" %h : (tensor<1x3xf16>) -> tensor<1x3xbf16>
// CHECK-NEXT: %big = top.weight "big" value = dense<"0x007C00FCFF7B"> : tensor<3xf16> : tensor<3xf16>
// CHECK-NEXT: %bits = top.weight "bits" value = dense<"0x007C003C00FC"> : tensor<3xf16> : tensor<3xf16>
// CHECK-NEXT: %fine = top.weight "fine" value = dense<[1.500000e+00, -2.000000e+00, 0.000000e+00]> : tensor<3xf16> : tensor<3xf16>
// CHECK-NEXT: %wide = top.weight "wide" value = dense<"0x807F7EFF807F"> : tensor<3xbf16> : tensor<3xbf16>
// CHECK-NEXT: %single = top.weight "single" value = dense<"0x0000807F0000807F0000807F"> : tensor<3xf32> : tensor<3xf32>
// CHECK-NEXT: %c = top.weight "c" value = dense<1.000000e+00> : tensor<3xf32> : tensor<3xf32>
// CHECK-NEXT: %n = top.batch_norm "n" %b, %c, %c, %c, %c epsilon = 1.000000e-05 : (tensor<1x3xbf16>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3xbf16>
