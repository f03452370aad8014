// RUN: smalti-opt %s -p "top-annotate-calibration{table=%S/image.calibration}" | filecheck %s
// RUN: not smalti-opt %s -p "top-annotate-calibration{table=%S/none.calibration}" 2>&1 | filecheck %s --check-prefix NONE

func.func @main(%image: tensor<1x4xf32>) -> tensor<1x4xf32> attributes {smalti.inputs = ["image"], smalti.outputs = ["out"]} {
  %k = top.weight "k" seed = 1 : tensor<4xf32>
  %a = top.add "a" %image, %k : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  %y = top.relu "y" %a : (tensor<1x4xf32>) -> tensor<1x4xf32>
  func.return %y : tensor<1x4xf32>
}

// CHECK:      func.func @main(%image: tensor<1x4x!quant.calibrated<f32<-1.000000e+00:1.000000e+00>>>) -> tensor<1x4x!quant.calibrated<f32<0.000000e+00:2.500000e+00>>>
// CHECK-NEXT:   %k = top.weight "k" seed = 1 : tensor<4xf32>
// CHECK-NEXT:   %a = top.add "a" %image, %k : (tensor<1x4x!quant.calibrated<f32<-1.000000e+00:1.000000e+00>>>, tensor<4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:   %y = top.relu "y" %a : (tensor<1x4xf32>) -> tensor<1x4x!quant.calibrated<f32<0.000000e+00:2.500000e+00>>>

// NONE: none.calibration: error: cannot read the calibration table: No such file or directory
