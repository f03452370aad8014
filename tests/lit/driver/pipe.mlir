// RUN: smalti-opt %s --convert-top-to-tpu="target=edge-1c" | filecheck %s
// RUN: smalti-opt %s --convert-top-to-tpu="target=edge-1c" | smalti-opt | filecheck %s
// RUN: smalti-opt %s --convert-top-to-tpu="target=edge-1c" --mlir-print-debuginfo | smalti-opt --tpu-fuse-activation --convert-tpu-to-tile --mlir-print-debuginfo | smalti-opt --tile-split-over-cores --tile-cut-to-local-memory --tile-order-engines --tile-assign-addresses --convert-tile-to-isa | filecheck %s --check-prefix ISA
// RUN: smalti-opt %s --convert-top-to-tpu="target=edge-1c" --weights-out=%t.safetensors | filecheck %s --check-prefix FILE

// Weights that passes change go with the text, so that programs in a pipe read what the one before them printed.
func.func @main(%x: tensor<1x3x4x4x!quant.calibrated<f32<-1.0:1.0>>>) -> tensor<1x4x4x4x!quant.calibrated<f32<0.0:2.0>>> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %w = top.weight "w" seed = 7 : tensor<4x3x1x1xf32>
  %c = top.conv2d "c" %x, %w : (tensor<1x3x4x4x!quant.calibrated<f32<-1.0:1.0>>>, tensor<4x3x1x1xf32>) -> tensor<1x4x4x4x!quant.calibrated<f32<-2.0:2.0>>> loc("Conv_0")
  %y = top.relu "y" %c : (tensor<1x4x4x4x!quant.calibrated<f32<-2.0:2.0>>>) -> tensor<1x4x4x4x!quant.calibrated<f32<0.0:2.0>>> loc("Relu_1")
  func.return %y : tensor<1x4x4x4x!quant.calibrated<f32<0.0:2.0>>>
}

// CHECK-NOT:  smalti.weights
// CHECK:      tpu.weight "w.i8" key = "w.i8"
// CHECK:      {-#
// CHECK-NEXT:   external_resources: {
// CHECK-NEXT:     smalti: {
// CHECK-NEXT:       weights: "0x40000000{{[0-9a-f]+}}"
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT: #-}

// ISA: m0: conv2d

// FILE:       smalti.weights = "{{[^"]+}}.safetensors"
// FILE-NOT:   external_resources
