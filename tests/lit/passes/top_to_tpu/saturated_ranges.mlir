// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=int8}" --split-input-file --weights-out %t.safetensors | filecheck %s

// Gates as an LSTM's: a step of 8 / 128 for their sum, and one that reaches as far as the other summand for the product.
func.func @gates(%x: tensor<1x4x!quant.calibrated<f32<-1.0:1.0>>>, %h: tensor<1x4x!quant.calibrated<f32<-2.0:2.0>>>) -> (tensor<1x2x!quant.calibrated<f32<0.0:1.0>>>, tensor<1x2x!quant.calibrated<f32<-1.0:1.0>>>) {
  %w = top.weight "w" seed = 1 : tensor<4x4xf32>
  %p = top.matmul "p" %x, %w : (tensor<1x4x!quant.calibrated<f32<-1.0:1.0>>>, tensor<4x4xf32>) -> tensor<1x4x!quant.calibrated<f32<-1000.0:1000.0>>>
  %t = top.add "t" %p, %h : (tensor<1x4x!quant.calibrated<f32<-1000.0:1000.0>>>, tensor<1x4x!quant.calibrated<f32<-2.0:2.0>>>) -> tensor<1x4x!quant.calibrated<f32<-1002.0:1002.0>>>
  %a = top.slice "a" %t starts = [0, 0] sizes = [1, 2] steps = [1, 1] : (tensor<1x4x!quant.calibrated<f32<-1002.0:1002.0>>>) -> tensor<1x2x!quant.calibrated<f32<-1002.0:1002.0>>>
  %b = top.slice "b" %t starts = [0, 2] sizes = [1, 2] steps = [1, 1] : (tensor<1x4x!quant.calibrated<f32<-1002.0:1002.0>>>) -> tensor<1x2x!quant.calibrated<f32<-1002.0:1002.0>>>
  %g = top.unary "g" %a kind = "sigmoid" : (tensor<1x2x!quant.calibrated<f32<-1002.0:1002.0>>>) -> tensor<1x2x!quant.calibrated<f32<0.0:1.0>>>
  %n = top.unary "n" %b kind = "tanh" : (tensor<1x2x!quant.calibrated<f32<-1002.0:1002.0>>>) -> tensor<1x2x!quant.calibrated<f32<-1.0:1.0>>>
  func.return %g, %n : tensor<1x2x!quant.calibrated<f32<0.0:1.0>>>, tensor<1x2x!quant.calibrated<f32<-1.0:1.0>>>
}

// CHECK-LABEL: @gates
// CHECK:         %p = tpu.matmul "p" {{.*}} -> tensor<1x4x!quant.uniform<i8:f32, 0.078
// CHECK:         %t = tpu.add "t" {{.*}} -> tensor<1x4x!quant.uniform<i8:f32, 0.062

// -----

// Another reader needs the whole range; so does one behind a relu, which is not flat.
func.func @seen(%x: tensor<1x4x!quant.calibrated<f32<-1.0:1.0>>>) -> (tensor<1x4x!quant.calibrated<f32<0.0:1.0>>>, tensor<1x4x!quant.calibrated<f32<0.0:1000.0>>>) {
  %w = top.weight "w" seed = 1 : tensor<4x4xf32>
  %p = top.matmul "p" %x, %w : (tensor<1x4x!quant.calibrated<f32<-1.0:1.0>>>, tensor<4x4xf32>) -> tensor<1x4x!quant.calibrated<f32<-1000.0:1000.0>>>
  %g = top.unary "g" %p kind = "sigmoid" : (tensor<1x4x!quant.calibrated<f32<-1000.0:1000.0>>>) -> tensor<1x4x!quant.calibrated<f32<0.0:1.0>>>
  %r = top.relu "r" %p : (tensor<1x4x!quant.calibrated<f32<-1000.0:1000.0>>>) -> tensor<1x4x!quant.calibrated<f32<0.0:1000.0>>>
  func.return %g, %r : tensor<1x4x!quant.calibrated<f32<0.0:1.0>>>, tensor<1x4x!quant.calibrated<f32<0.0:1000.0>>>
}

// CHECK-LABEL: @seen
// CHECK:         %p = tpu.matmul "p" {{.*}} -> tensor<1x4x!quant.uniform<i8:f32, 7.8
