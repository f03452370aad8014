// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

func.func private @sub_channel(tensor<4x8x!quant.uniform<i8:f32:{0:2, 1:4}, {{0.5, 0.25:3}, {1.0, 2.0}}>>)

// CHECK:      builtin.module {
// CHECK-NEXT:   func.func private @sub_channel(tensor<4x8x!quant.uniform<i8:f32:{0:2, 1:4}, {{[{][{]}}5.000000e-01, 2.500000e-01:3}, {1.000000e+00, 2.000000e+00}}>>) -> ()
// CHECK-NEXT: }
