// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

!a = tensor<1x2x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>
!c = tensor<1x4x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>
!s = tensor<1x2x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>
!p = tensor<1x2x5x!quant.uniform<i8:f32, 5.000000e-01:-3>>

func.func @moves(%a: !a) -> !p {
  %c = tpu.concat "c" %a, %a axis = 1 : (!a, !a) -> !c
  %s = tpu.slice "s" %c starts = [0, 0, 1] sizes = [1, 2, 2] steps = [1, 3, 2] : (!c) -> !s
  %p = tpu.pad "p" %s low = [0, 0, 1] high = [0, 0, 2] value = 2.0 : (!s) -> !p
  return %p : !p
}

// CHECK:      func.func @moves
// CHECK-NEXT:   %c = tpu.concat "c" %a, %a axis = 1 :
// CHECK-NEXT:   %s = tpu.slice "s" %c starts = [0, 0, 1] sizes = [1, 2, 2] steps = [1, 3, 2] :
// CHECK-NEXT:   %p = tpu.pad "p" %s low = [0, 0, 1] high = [0, 0, 2] value = 2.0 :
