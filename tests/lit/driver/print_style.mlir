// RUN: smalti-opt %s | filecheck %s --check-prefix PLAIN
// RUN: smalti-opt %s --mlir-print-debuginfo | filecheck %s --check-prefix LOC
// RUN: smalti-opt %s -o %t.mlir && cat %t.mlir | filecheck %s --check-prefix FILE
// RUN: smalti-opt %s --mlir-print-op-generic | filecheck %s --check-prefix GENERIC
// RUN: smalti-opt %s --mlir-print-local-scope | filecheck %s --check-prefix LOCAL
// RUN: smalti-opt %s --mlir-elide-elementsattrs-if-larger=4 | filecheck %s --check-prefix ELIDED
// RUN: smalti-opt %s | smalti-opt | filecheck %s --check-prefix PLAIN
// RUN: smalti-opt %s --mlir-print-op-generic | smalti-opt | filecheck %s --check-prefix PLAIN

// A long type that comes often gets an alias. Where an op was read is shown with --mlir-print-debuginfo
// only, and never where the text gives a location; files have the locations that the text gives.
func.func @f(%x: tensor<1x64x56x56x!quant.calibrated<f32<-1.000000e+00:1.000000e+00>>>) -> tensor<8xf32> {
  %w = top.weight "w" value = dense<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]> : tensor<8xf32> : tensor<8xf32>
  %s = top.weight "s" value = dense<1.0> : tensor<8xf32> : tensor<8xf32>
  %a = top.relu "a" %x : (tensor<1x64x56x56x!quant.calibrated<f32<-1.000000e+00:1.000000e+00>>>) -> tensor<1x64x56x56x!quant.calibrated<f32<-1.000000e+00:1.000000e+00>>>
  %b = top.relu "b" %a : (tensor<1x64x56x56x!quant.calibrated<f32<-1.000000e+00:1.000000e+00>>>) -> tensor<1x64x56x56x!quant.calibrated<f32<-1.000000e+00:1.000000e+00>>> loc("Relu_1")
  %c = top.relu "c" %b : (tensor<1x64x56x56x!quant.calibrated<f32<-1.000000e+00:1.000000e+00>>>) -> tensor<1x64x56x56x!quant.calibrated<f32<-1.000000e+00:1.000000e+00>>>
  func.return %w : tensor<8xf32>
}

// PLAIN:      !t0 = tensor<1x64x56x56x!quant.calibrated<f32<-1.000000e+00:1.000000e+00>>>
// PLAIN-NEXT: builtin.module {
// PLAIN-NEXT: func.func @f(%x: !t0)
// PLAIN-NEXT: value = dense<[0.000000e+00, 1.000000e+00, {{.*}}]> : tensor<8xf32>
// PLAIN-NEXT: value = dense<1.000000e+00> : tensor<8xf32>
// PLAIN-NEXT: %a = top.relu "a" %x : (!t0) -> !t0{{$}}

// LOC:      %a = top.relu "a" %x : (!t0) -> !t0 loc("{{.*}}print_style.mlir":15:3)
// LOC-NEXT: %b = top.relu "b" %a : (!t0) -> !t0 loc("Relu_1")

// FILE:      %a = top.relu "a" %x : (!t0) -> !t0 loc(unknown)
// FILE-NEXT: %b = top.relu "b" %a : (!t0) -> !t0 loc("Relu_1")

// GENERIC: %a = "top.relu"(%x) <{name = "a"}> : (!t0) -> !t0

// LOCAL:      builtin.module {
// LOCAL-NEXT: func.func @f(%x: tensor<1x64x56x56x!quant.calibrated<

// ELIDED:      %w = top.weight "w" value = dense_resource<__elided__> : tensor<8xf32>
// ELIDED-NEXT: %s = top.weight "s" value = dense<1.000000e+00> : tensor<8xf32>
