// RUN: smalti-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{scale 0.0 is not a positive number}}
func.func private @f(tensor<4x!quant.uniform<i8:f32, 0.0>>)

// -----

// expected-error @below {{scale -1.0 is not a positive number}}
func.func private @f(tensor<4x!quant.uniform<i8:f32, -1.0>>)

// -----

// expected-error @below {{scale inf is not a positive number}}
func.func private @f(tensor<4x!quant.uniform<i8:f32, 0x7FF0000000000000>>)

// -----

// expected-error @below {{zero point 128 is outside the storage range -128:127}}
func.func private @f(tensor<4x!quant.uniform<i8:f32, 0.5:128>>)

// -----

// expected-error @below {{zero point -1 is outside the storage range 0:255}}
func.func private @f(tensor<4x!quant.uniform<u8:f32, 0.5:-1>>)

// -----

// expected-error @below {{storage range -129:127 is not within that of i8, -128:127}}
func.func private @f(tensor<4x!quant.uniform<i8<-129:127>:f32, 0.5>>)

// -----

// expected-error @below {{storage type i64 has more than 32 bits}}
func.func private @f(tensor<4x!quant.uniform<i64:f32, 0.5>>)

// -----

// expected-error @below {{expressed type must be a float, got i32}}
func.func private @f(tensor<4x!quant.uniform<i8:i32, 0.5>>)

// -----

// expected-error @below {{expected an integer storage type}}
func.func private @f(tensor<4x!quant.uniform<f32:f32, 0.5>>)

// -----

// expected-error @below {{scales in braces and an axis belong together}}
func.func private @f(tensor<4x!quant.uniform<i8:f32, {0.5,0.25}>>)

// -----

// expected-error @below {{scales in braces and an axis belong together}}
func.func private @f(tensor<4x!quant.uniform<i8:f32:0, 0.5>>)

// -----

// expected-error @below {{every quantized axis of a sub-channel type has a block size of at least 1}}
func.func private @f(tensor<4x!quant.uniform<i8:f32:{0:0}, {0.5}>>)

// -----

// expected-error @below {{a sub-channel type needs scales in braces}}
func.func private @f(tensor<4x!quant.uniform<i8:f32:{0:2}, 0.5>>)

// -----

// expected-error @below {{lists of scales differ in length}}
func.func private @f(tensor<4x!quant.uniform<i8:f32:{0:2,1:2}, {{0.5},{0.5,0.5}}>>)

// -----

// expected-error @below {{calibrated range 1.0:1.0 is empty}}
func.func private @f(tensor<4x!quant.calibrated<f32<1.0:1.0>>>)

// -----

// expected-error @below {{expressed type must be a float, got i8}}
func.func private @f(tensor<4x!quant.calibrated<i8<0.0:1.0>>>)

// -----

// expected-error @below {{a calibrated type has two finite bounds}}
func.func private @f(tensor<4x!quant.calibrated<f32<0.0:0x7FF0000000000000>>>)

// -----

// expected-error @below {{threshold -1.0 of a calibrated type is not above 0}}
func.func private @f(tensor<4x!tpu.calibrated<f32<0.0:1.0>, threshold = -1.0>>)

// -----

// expected-error @below {{calibrated range 1.0:0.5 of 4 bits is empty}}
func.func private @f(tensor<4x!tpu.calibrated<f32<0.0:1.0>, threshold = 1.0, i4 = 1.0:0.5>>)

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.qcast': shapes of tensor<4xf32> and tensor<5x!quant.uniform<i8:f32, 5.000000e-01>> differ}}
  %y = quant.qcast %x : tensor<4xf32> to tensor<5x!quant.uniform<i8:f32, 5.0e-01>>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.qcast': expected a quantized type, got i8}}
  %y = quant.qcast %x : tensor<4xf32> to tensor<4xi8>
  return
}

// -----

func.func @f(%x: tensor<4xf16>) {
  // expected-error @below {{'quant.qcast': expected elements of f32, got f16}}
  %y = quant.qcast %x : tensor<4xf16> to tensor<4x!quant.uniform<i8:f32, 5.0e-01>>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.qcast': quantized axis 1 is not an axis of tensor<4x!quant.uniform<i8:f32:1, {5.000000e-01}>>}}
  %y = quant.qcast %x : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32:1, {0.5}>>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.qcast': 2 scales for axis 0 of size 4}}
  %y = quant.qcast %x : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32:0, {0.5,0.5}>>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.dcast': expected a quantized type, got f32}}
  %y = quant.dcast %x : tensor<4xf32> to tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x!quant.uniform<i8:f32, 5.0e-01>>) {
  // expected-error @below {{'quant.scast': expected elements of i8, got i16}}
  %y = quant.scast %x : tensor<4x!quant.uniform<i8:f32, 5.0e-01>> to tensor<4xi16>
  return
}

// -----

func.func @f(%x: tensor<4xi8>) {
  // expected-error @below {{'quant.scast': one side must be a quantized type}}
  %y = quant.scast %x : tensor<4xi8> to tensor<4xi8>
  return
}
