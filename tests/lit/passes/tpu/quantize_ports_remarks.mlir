// RUN: smalti-opt %s --split-input-file -p tpu-quantize-ports --verify-diagnostics

!i8 = tensor<1x4x!quant.uniform<i8:f32, 5.000000e-01>>
!u8 = tensor<1x4x!quant.uniform<u8:f32, 5.000000e-01>>

// Two types, a reader of floats, and the network itself keep an input as it is; a result in floats an output.
func.func @main(%a: tensor<1x4xf32>, %b: tensor<1x4xf32>, %c: tensor<1x4xf32>) -> (!i8, !u8, tensor<1x4xf32>, tensor<1x4xf32>) attributes {smalti.inputs = ["a", "b", "c"], smalti.outputs = ["p", "q", "r", "s"]} {
  // expected-remark @below {{input 'a' stays f32: it is cast to 2 types: !quant.uniform<i8:f32, 5.000000e-01>, !quant.uniform<u8:f32, 5.000000e-01>}}
  %p = tpu.cast "p" %a : (tensor<1x4xf32>) -> !i8
  %q = tpu.cast "q" %a : (tensor<1x4xf32>) -> !u8
  // expected-remark @below {{input 'b' stays f32: tpu.softmax 'r' reads it as it is}}
  // expected-remark @below {{output 'r' stays f32: tpu.softmax 'r' computes it in that type}}
  %r = tpu.softmax "r" %b axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
  // expected-remark @below {{input 'c' stays f32: the network returns it as it is}}
  func.return %p, %q, %r, %c : !i8, !u8, tensor<1x4xf32>, tensor<1x4xf32>
}
