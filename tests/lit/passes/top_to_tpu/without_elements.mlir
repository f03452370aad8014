// RUN: smalti-opt %s -p "convert-top-to-tpu{quantize=f32}" --weights-out %t.safetensors | filecheck %s
// RUN: smalti-opt %s -p "convert-top-to-tpu{quantize=f16},convert-tpu-to-tile" --weights-out %t.half.safetensors -o /dev/null

// No engine computes on nothing, also where no pass has folded it before.
func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %n = top.slice "n" %x starts = [0, 0] sizes = [2, 0] steps = [1, 1] : (tensor<2x3xf32>) -> tensor<2x0xf32>
  %s = top.reduce "s" %n kind = "prod" axes = [1] keepdims : (tensor<2x0xf32>) -> tensor<2x1xf32> loc("Prod_1")
  %y = top.mul "y" %x, %s : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %s = tpu.weight "s" value = dense<1.000000e+00> : tensor<2x1xf32> : tensor<2x1xf32>
// CHECK-NEXT:    %y = tpu.mul "y" %x, %s : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
