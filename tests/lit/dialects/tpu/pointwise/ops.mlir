// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

func.func @f(%x: tensor<4xf32>, %q: tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>, %t: tensor<256x!quant.uniform<i8:f32, 2.000000e-01>>, %m: tensor<4xi1>) -> tensor<4x!quant.uniform<i8:f32, 2.000000e-01>> {
  %min = tpu.min "min" %q, %q clamp_low = 0.0 : (tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>, tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>) -> tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>
  %max = tpu.max "max" %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %power = tpu.power "power" %max, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %modulo = tpu.modulo "modulo" %power, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %prelu = tpu.prelu "prelu" %modulo, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %exp = tpu.unary "exp" %prelu kind = "exp" clamp_high = 4.0 : (tensor<4xf32>) -> tensor<4xf32>
  %inf = tpu.unary "inf" %exp kind = "is_inf" alpha = 1.0 beta = 0.0 : (tensor<4xf32>) -> tensor<4xi1>
  %not = tpu.unary "not" %inf kind = "not" : (tensor<4xi1>) -> tensor<4xi1>
  %less = tpu.compare "less" %min, %q kind = "less_or_equal" : (tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>, tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>) -> tensor<4xi1>
  %both = tpu.logical "both" %less, %not kind = "xor" : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %chosen = tpu.select "chosen" %both, %min, %q : (tensor<4xi1>, tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>, tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>) -> tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>
  %found = tpu.lookup "found" %chosen, %t : (tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>, tensor<256x!quant.uniform<i8:f32, 2.000000e-01>>) -> tensor<4x!quant.uniform<i8:f32, 2.000000e-01>>
  return %found : tensor<4x!quant.uniform<i8:f32, 2.000000e-01>>
}

// CHECK: %min = tpu.min "min" %q, %q clamp_low = 0.0
// CHECK: %max = tpu.max "max" %x, %x
// CHECK: %power = tpu.power "power" %max, %x
// CHECK: %modulo = tpu.modulo "modulo" %power, %x
// CHECK: %prelu = tpu.prelu "prelu" %modulo, %x
// CHECK: %exp = tpu.unary "exp" %prelu kind = "exp" clamp_high = 4.0
// CHECK: %inf = tpu.unary "inf" %exp kind = "is_inf" alpha = 1.0 beta = 0.0
// CHECK: %not = tpu.unary "not" %inf kind = "not"
// CHECK: %less = tpu.compare "less" %min, %q kind = "less_or_equal"
// CHECK: %both = tpu.logical "both" %less, %not kind = "xor"
// CHECK: %chosen = tpu.select "chosen" %both, %min, %q
// CHECK: %found = tpu.lookup "found" %chosen, %t
