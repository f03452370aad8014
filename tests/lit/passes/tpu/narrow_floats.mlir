// RUN: smalti-opt %s -p "tpu-narrow-floats" --weights-out %t.safetensors | filecheck %s
// RUN: smalti-opt %s -p "tpu-narrow-floats" --weights-out %t.2.safetensors --mlir-print-debuginfo | filecheck %s --check-prefix LOC
// RUN: smalti-opt %s -p "tpu-narrow-floats,tpu-narrow-floats" --weights-out %t.3.safetensors --mlir-pass-statistics 2>&1 | filecheck %s --check-prefix TWICE

!q = tensor<1x8x!quant.uniform<i8:f32, 0.05:3>>
!p = tensor<1x8x!quant.uniform<i8:f32, 0.004:-128>>
!coarse = tensor<1x8x!quant.uniform<i8:f32, 600.0>>
!fine = tensor<1x8x!quant.uniform<i8:f32, 1.0e-6>>
!wide = tensor<1x8x!quant.uniform<i16:f32, 0.05>>
!f = tensor<1x8xf32>

builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: !q, %c: !coarse, %w: !wide, %y: !f) -> (!p, !p, !p, !p, !p, !fine, !p, !f) attributes {smalti.inputs = ["x", "c", "w", "y"], smalti.outputs = ["p", "n", "t", "a", "b", "d", "e", "f"]} {
    %x_f32 = tpu.cast "x_f32" %x : (!q) -> !f loc("Softmax_1")
    %s = tpu.softmax "s" %x_f32 axis = 1 : (!f) -> !f loc("Softmax_1")
    %p = tpu.cast "p" %s : (!f) -> !p

    // Scales and offsets stay f32.
    %scale = tpu.weight "scale" value = dense<0.5> : tensor<8xf32> : tensor<8xf32>
    %bias = tpu.weight "bias" value = dense<0.25> : tensor<8xf32> : tensor<8xf32>
    %normal = tpu.normalize "normal" %x_f32, %scale bias %bias kind = "mean_variance" axes = [1] epsilon = 1.0e-5 : (!f, tensor<8xf32>, tensor<8xf32>) -> !f
    %n = tpu.cast "n" %normal : (!f) -> !p

    // What a look-up gives has a table in f16 then.
    %table = tpu.weight "table" value = dense<0.125> : tensor<256xf32> : tensor<256xf32>
    %l = tpu.lookup "l" %x, %table : (!q, tensor<256xf32>) -> !f
    %st = tpu.softmax "st" %l axis = 1 : (!f) -> !f
    %t = tpu.cast "t" %st : (!f) -> !p

    // 600 · 128 is more than an f16 holds,
    %c_f32 = tpu.cast "c_f32" %c : (!coarse) -> !f
    %sc = tpu.softmax "sc" %c_f32 axis = 1 : (!f) -> !f
    %a = tpu.cast "a" %sc : (!f) -> !p
    // 16 bits have more digits,
    %w_f32 = tpu.cast "w_f32" %w : (!wide) -> !f
    %sw = tpu.softmax "sw" %w_f32 axis = 1 : (!f) -> !f
    %b = tpu.cast "b" %sw : (!f) -> !p
    // steps of 1e-6 are finer than those of f16 there,
    %sd = tpu.softmax "sd" %x_f32 axis = 1 : (!f) -> !f
    %d = tpu.cast "d" %sd : (!f) -> !fine
    // and floats of the network stay, as inputs and outputs.
    %se = tpu.softmax "se" %y axis = 1 : (!f) -> !f
    %e = tpu.cast "e" %se : (!f) -> !p
    %sf = tpu.softmax "sf" %x_f32 axis = 1 : (!f) -> !f
    func.return %p, %n, %t, %a, %b, %d, %e, %sf : !p, !p, !p, !p, !p, !fine, !p, !f
  }
}

// CHECK:      %x_f32 = tpu.cast "x_f32" %x
// CHECK-NEXT: %x_f16 = tpu.cast "x_f16" %x : {{.*}} -> tensor<1x8xf16>
// CHECK-NEXT: %s = tpu.softmax "s" %x_f16 axis = 1 : (tensor<1x8xf16>) -> tensor<1x8xf16>
// CHECK-NEXT: %p = tpu.cast "p" %s : (tensor<1x8xf16>) ->
// CHECK:      tpu.normalize "normal" %x_f16{{.*}}, %scale bias %bias {{.*}} : (tensor<1x8xf16>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x8xf16>
// CHECK:      %table_f16 = tpu.weight "table.f16" key = "table.f16" : tensor<256xf16>
// CHECK-NEXT: %l = tpu.lookup "l" %x, %table_f16
// CHECK-NEXT: tpu.softmax "st" %l axis = 1 : (tensor<1x8xf16>) -> tensor<1x8xf16>
// CHECK:      tpu.softmax "sc" %c_f32
// CHECK:      tpu.softmax "sw" %w_f32
// CHECK:      tpu.softmax "sd" %x_f32
// CHECK:      tpu.softmax "se" %y
// CHECK:      tpu.softmax "sf" %x_f32

// LOC: tpu.cast "x_f16" {{.*}} loc("Softmax_1")
// LOC-NEXT: tpu.softmax "s" {{.*}} loc("Softmax_1")

// TWICE: (S) 3 narrow_floats
// TWICE: (S) 0 narrow_floats
