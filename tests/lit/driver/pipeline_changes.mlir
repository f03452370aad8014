// RUN: smalti compile %s --quantize f32 --cores 2 -o %t.smalti --print-pipeline --set-pass tile-order-engines{prefetch=2} --disable-pass cse --disable-pass canonicalize | filecheck %s
// RUN: not smalti compile %s --quantize f32 -o %t.smalti --set-pass tile-order-engines{prefech=2} 2>&1 | filecheck %s --check-prefix OPTION
// RUN: not smalti compile %s --quantize f32 -o %t.smalti --disable-pass tile-order-engine 2>&1 | filecheck %s --check-prefix NAME
// RUN: not smalti compile %s --quantize f32 -o %t.smalti --disable-pass convert-tpu-to-tile 2>&1 | filecheck %s --check-prefix NEEDED
// RUN: not smalti compile %s --quantize f32 -o %t.smalti --set-pass convert-top-to-tpu{quantize=f16} 2>&1 | filecheck %s --check-prefix FLAG
// RUN: smalti compile %s --quantize f32 --emit tpu -o %t.smalti && not smalti compile %t.tpu.mlir -o %t.smalti --disable-pass top-fold-shapes 2>&1 | filecheck %s --check-prefix PAST

func.func @main(%x: tensor<2x8xf32>) -> tensor<2x8xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %c = top.relu "c" %x : (tensor<2x8xf32>) -> tensor<2x8xf32>
  func.return %c : tensor<2x8xf32>
}

// CHECK-NOT: cse
// CHECK-NOT: canonicalize
// CHECK:     tile-split-over-cores{cores=2},tile-cut-to-local-memory,tile-order-engines{prefetch=2}

// OPTION:      pass 'tile-order-engines': error: no option 'prefech' (there is: prefetch)
// OPTION-NEXT: hint: did you mean prefetch?

// NAME:        error: there is no pass 'tile-order-engine'
// NAME-NEXT:   hint: did you mean tile-order-engines?

// NEEDED:      error: pass 'convert-tpu-to-tile' cannot be left out: nothing else leads to the next level

// FLAG:        error: option 'quantize' concerns more than this pass
// FLAG-NEXT:   hint: give it to the whole pipeline: --quantize

// PAST:        error: pass 'top-fold-shapes' does not run on tpu IR
