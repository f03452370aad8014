// RUN: not smalti-opt %s --split-input-file 2>&1 | filecheck %s

func.func @f(%x: tensor<4xi8>) {
  %y = tpu.storage_cast "y" %x : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// CHECK: error: 'tpu.storage_cast': one side must be quantized, the other integers; got i8 and i8

// -----

func.func @f(%x: tensor<4xi16>) {
  %y = tpu.storage_cast "y" %x : (tensor<4xi16>) -> tensor<4x!quant.uniform<i8:f32, 0.5>>
  return
}

// CHECK: error: 'tpu.storage_cast': input must have the elements that store result, got i16
