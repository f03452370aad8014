// RUN: smalti-opt %s -p "tpu-fuse-lookup" --split-input-file --weights-out %t.safetensors | filecheck %s
// RUN: smalti-opt %s -p "tpu-fuse-lookup" --split-input-file --mlir-print-debuginfo --weights-out %t.2.safetensors | filecheck %s --check-prefix LOC

!x = tensor<1x4x!quant.uniform<i8:f32, 0.1>>
!y = tensor<1x4x!quant.uniform<i8:f32, 0.01:-128>>
!f = tensor<1x4xf32>

// Two functions and a clamp become one table.
func.func @main(%x: !x) -> !y {
  %a = tpu.cast "a" %x : (!x) -> !f
  %b = tpu.unary "b" %a kind = "sigmoid" : (!f) -> !f loc("Sigmoid_0")
  %c = tpu.unary "c" %b kind = "sqrt" : (!f) -> !f loc("Sqrt_1")
  %d = tpu.cast "d" %c : (!f) -> !y
  %e = tpu.clamp "e" %d clamp_high = 0.5 : (!y) -> !y loc("Clip_2")
  return %e : !y
}

// CHECK:      func.func @main
// CHECK-NEXT:   %e_table = tpu.weight "e.table" key = "e.table" : tensor<256x!quant.uniform<i8:f32, 1.000000e-02:-128>>
// CHECK-NEXT:   %e = tpu.lookup "e" %x, %e_table :
// CHECK-NEXT:   return %e
// LOC: tpu.lookup "e" {{.*}} loc(fused["Sigmoid_0", "Sqrt_1", "Clip_2"])

// -----

!x = tensor<1x4x!quant.uniform<i8:f32, 0.1>>
!f = tensor<1x4xf32>

// A float result is looked up, too; what has one number as its other operand belongs to the chain.
func.func @main(%x: !x, %z: !f) -> (!f, !f) {
  %a = tpu.cast "a" %x : (!x) -> !f
  %two = tpu.weight "two" value = dense<2.0> : tensor<f32> : tensor<f32>
  %b = tpu.div "b" %two, %a : (tensor<f32>, !f) -> !f
  %c = tpu.sub "c" %b, %z : (!f, !f) -> !f
  return %b, %c : !f, !f
}

// CHECK:        %b_table = tpu.weight "b.table" key = "b.table" : tensor<256xf32>
// CHECK-NEXT:   %b = tpu.lookup "b" %x, %b_table :
// CHECK-NEXT:   %c = tpu.sub "c" %b, %z :

// -----

!x = tensor<1x4x!quant.uniform<i8:f32, 0.1>>
!y = tensor<1x4x!quant.uniform<i8:f32, 0.2>>

// Requantizations and clamps alone are cheaper as they are.
func.func @main(%x: !x) -> !y {
  %a = tpu.requantize "a" %x multiplier = 1073741824 shift = 31 : (!x) -> !y
  %b = tpu.clamp "b" %a clamp_low = 0.0 : (!y) -> !y
  return %b : !y
}

// CHECK:        %a = tpu.requantize "a" %x
// CHECK-NEXT:   %b = tpu.clamp "b" %a
// CHECK-NOT:    tpu.lookup
