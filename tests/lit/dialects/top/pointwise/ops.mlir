// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

func.func @f(%x: tensor<4xf32>, %c: tensor<1xf32>, %m: tensor<4xi1>) -> tensor<4xf32> {
  %min = top.min "min" %x, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %max = top.max "max" %x, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %power = top.power "power" %min, %max : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %modulo = top.modulo "modulo" %power, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %prelu = top.prelu "prelu" %modulo, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %sigmoid = top.unary "sigmoid" %prelu kind = "sigmoid" : (tensor<4xf32>) -> tensor<4xf32>
  %leaky = top.unary "leaky" %sigmoid kind = "leaky_relu" alpha = 0.25 : (tensor<4xf32>) -> tensor<4xf32>
  %selu = top.unary "selu" %leaky kind = "selu" alpha = 1.5 beta = 1.25 : (tensor<4xf32>) -> tensor<4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>
  %nan = top.unary "nan" %selu kind = "is_nan" : (tensor<4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>) -> tensor<4xi1>
  %not = top.unary "not" %nan kind = "not" : (tensor<4xi1>) -> tensor<4xi1>
  %less = top.compare "less" %selu, %c kind = "less" : (tensor<4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>, tensor<1xf32>) -> tensor<4xi1>
  %both = top.logical "both" %less, %not kind = "and" : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %chosen = top.select "chosen" %both, %selu, %c : (tensor<4xi1>, tensor<4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>, tensor<1xf32>) -> tensor<4xf32>
  return %chosen : tensor<4xf32>
}

// CHECK: %min = top.min "min" %x, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
// CHECK: %max = top.max "max" %x, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
// CHECK: %power = top.power "power" %min, %max : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK: %modulo = top.modulo "modulo" %power, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
// CHECK: %prelu = top.prelu "prelu" %modulo, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
// CHECK: %sigmoid = top.unary "sigmoid" %prelu kind = "sigmoid" : (tensor<4xf32>) -> tensor<4xf32>
// CHECK: %leaky = top.unary "leaky" %sigmoid kind = "leaky_relu" alpha = 0.25 : (tensor<4xf32>) -> tensor<4xf32>
// CHECK: %selu = top.unary "selu" %leaky kind = "selu" alpha = 1.5 beta = 1.25 : (tensor<4xf32>) -> tensor<4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>
// CHECK: %nan = top.unary "nan" %selu kind = "is_nan" : (tensor<4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>) -> tensor<4xi1>
// CHECK: %not = top.unary "not" %nan kind = "not" : (tensor<4xi1>) -> tensor<4xi1>
// CHECK: %less = top.compare "less" %selu, %c kind = "less" : (tensor<4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>, tensor<1xf32>) -> tensor<4xi1>
// CHECK: %both = top.logical "both" %less, %not kind = "and" : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
// CHECK: %chosen = top.select "chosen" %both, %selu, %c : (tensor<4xi1>, tensor<4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>, tensor<1xf32>) -> tensor<4xf32>
