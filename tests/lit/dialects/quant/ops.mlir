// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

func.func @per_tensor(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = quant.qcast %x : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 2.300000e-02:-3>>
  %1 = quant.scast %0 : tensor<4x!quant.uniform<i8:f32, 2.300000e-02:-3>> to tensor<4xi8>
  %2 = quant.scast %1 : tensor<4xi8> to tensor<4x!quant.uniform<i8:f32, 2.300000e-02:-3>>
  %3 = quant.dcast %2 : tensor<4x!quant.uniform<i8:f32, 2.300000e-02:-3>> to tensor<4xf32>
  return %3 : tensor<4xf32>
}
func.func private @narrow_range(tensor<4x!quant.uniform<i8<-127:127>:f32, 0.1>>)
func.func private @unsigned(tensor<4x!quant.uniform<ui8:f32, 1.0:128>>, tensor<4x!quant.uniform<u16:f32, 0.5>>, tensor<4x!quant.uniform<i4:f32, 0.25>>)
func.func private @per_axis(tensor<2x3x!quant.uniform<i8:f32:0, {2.0e+2,0.99872:7}>>)
func.func private @calibrated(tensor<4x!quant.calibrated<f32<-1.0:2.5>>>)
func.func private @inexact_scale(tensor<4x!quant.uniform<i8:f32, 0.1234567890123456789>>, tensor<4x!quant.uniform<i8:f32, 16777217.0>>)

// CHECK:      builtin.module {
// CHECK-NEXT:   func.func @per_tensor(%x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:     %0 = quant.qcast %x : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 2.300000e-02:-3>>
// CHECK-NEXT:     %1 = quant.scast %0 : tensor<4x!quant.uniform<i8:f32, 2.300000e-02:-3>> to tensor<4xi8>
// CHECK-NEXT:     %2 = quant.scast %1 : tensor<4xi8> to tensor<4x!quant.uniform<i8:f32, 2.300000e-02:-3>>
// CHECK-NEXT:     %3 = quant.dcast %2 : tensor<4x!quant.uniform<i8:f32, 2.300000e-02:-3>> to tensor<4xf32>
// CHECK-NEXT:     func.return %3 : tensor<4xf32>
// CHECK-NEXT:   }
// CHECK-NEXT:   func.func private @narrow_range(tensor<4x!quant.uniform<i8<-127:127>:f32, 1.000000e-01>>) -> ()
// CHECK-NEXT:   func.func private @unsigned(tensor<4x!quant.uniform<u8:f32, 1.000000e+00:128>>, tensor<4x!quant.uniform<u16:f32, 5.000000e-01>>, tensor<4x!quant.uniform<i4:f32, 2.500000e-01>>) -> ()
// CHECK-NEXT:   func.func private @per_axis(tensor<2x3x!quant.uniform<i8:f32:0, {2.000000e+02,9.987200e-01:7}>>) -> ()
// CHECK-NEXT:   func.func private @calibrated(tensor<4x!quant.calibrated<f32<-1.000000e+00:2.500000e+00>>>) -> ()
// CHECK-NEXT:   func.func private @inexact_scale(tensor<4x!quant.uniform<i8:f32, 0.12345678901234568>>, tensor<4x!quant.uniform<i8:f32, 16777217.0>>) -> ()
// CHECK-NEXT: }
