// RUN: not smalti-opt %s --split-input-file 2>&1 | filecheck %s

func.func @f(%x: tensor<4xf32>) {
  %q = top.quantize "q" %x : (tensor<4xf32>) -> tensor<4xi8>
  return
}

// CHECK: error: 'top.quantize': result must be quantized, got elements of i8

// -----

func.func @f(%x: tensor<4xf16>) {
  %q = top.quantize "q" %x : (tensor<4xf16>) -> tensor<4x!quant.uniform<i8:f32, 0.5>>
  return
}

// CHECK: error: 'top.quantize': input must have elements of f32, got f16

// -----

func.func @f(%x: tensor<4x4xf32>) {
  %q = top.quantize "q" %x : (tensor<4x4xf32>) -> tensor<4x4x!quant.uniform<i8:f32:1, {0.5, 0.25}>>
  return
}

// CHECK: error: 'top.quantize': result: 2 scales along axis 1 do not fit [4, 4]

// -----

func.func @f(%x: tensor<4x4xf32>) {
  %q = top.quantize "q" %x : (tensor<4x4xf32>) -> tensor<4x4x!quant.uniform<i8:f32:{0:1, 1:2}, {{0.5}, {0.25}}>>
  return
}

// CHECK: error: 'top.quantize': result: a grid of [2, 1] scales does not fit [4, 4]

// -----

func.func @f(%x: tensor<4xi8>) {
  %y = top.dequantize "y" %x : (tensor<4xi8>) -> tensor<4xf32>
  return
}

// CHECK: error: 'top.dequantize': input must be quantized, got elements of i8

// -----

func.func @f(%x: tensor<4x!quant.uniform<i8:f32, 0.5>>) {
  %y = top.dequantize "y" %x : (tensor<4x!quant.uniform<i8:f32, 0.5>>) -> tensor<4xf16>
  return
}

// CHECK: error: 'top.dequantize': result must have elements of f32, got f16

// -----

func.func @f(%x: tensor<4xi8>) {
  %y = top.storage_cast "y" %x : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// CHECK: error: 'top.storage_cast': one side must be quantized, the other integers; got i8 and i8

// -----

func.func @f(%x: tensor<4xi8>) {
  %y = top.storage_cast "y" %x : (tensor<4xi8>) -> tensor<4x!quant.uniform<u8:f32, 0.5>>
  return
}

// CHECK: error: 'top.storage_cast': input must have the elements that store result, got i8
