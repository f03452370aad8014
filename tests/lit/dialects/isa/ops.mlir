// RUN: smalti-opt %s | filecheck %s
// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s
// RUN: smalti-opt %s --mlir-print-debuginfo | filecheck %s --check-prefix=LOC
// RUN: smalti-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

// Every instruction, in free spacing where the reader allows it.
isa.program @everything target("edge-1c", "sha256:03ede02070643b1c") counters(2)
    segments(weights = 96, input = 64, output = 40, scratch = 0)
    inputs("image" f32[1, 1, 4, 4] at 0) outputs("scores" f32[1, 10] at 0)
    weights("program.weights") statistics(macs = 1234) {
  isa.stream core(0) local(8192) acc(8192) {
    d0: load src_space=global, dst_space=local, src=0x0, dst=0x100, run=64, count1=1 loc("Conv_0")
    d1 : fill  type = f32, dst = 64,  count=10, value=-0.5e0   // fields in another order

    m0: conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, pad_value=-3, block=64 after d0 for "conv1" loc(fused["Conv_0", "Relu_1"])
    v0: depthwise_conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, accumulate=1, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, block=64
    m1: matmul x=0x0, w=0x0, acc=0x0, type=f32, acc_type=f32, m=2, k=3, n=4, x_pitch=4, out_pitch=4, block=4, transpose_w=1
    v1: epilogue acc=0x0, out=0x800, table=0x40, acc_type=i32, type=i8, rows=64, channels=16, acc_pitch=16, out_pitch=16, table_pitch=16, clamp_low=-128.0, clamp_high=0.1 after d1, m0
    v2: convert x=0x0, out=0x0, in_type=i8, out_type=f32, rows=2, columns=3, in_pitch=4, out_pitch=4, scale=0.012345
    v3: binary kind=add, type=i8, a=0x0, b=0x10, out=0x20, size3=16, a_stride3=1, b_stride3=1, a_multiplier=2147483648, shift=40, clamp_low=-128.0
    v4: pool kind=max, x=0x0, out=0x1000, type=u8, in_height=4, in_width=4, out_height=2, out_width=2, pitch=16, kernel_height=2, kernel_width=2
    v5: reduce kind=mean, x=0x0, out=0x0, type=i8, outer=2, length=49, inner=16, outer_stride=784, length_stride=16, out_pitch=16
    v6: resample x=0x0, out=0x0, index=0x0, weight=0x0, type=f32, outer=1, in_length=2, out_length=4, inner=3, taps=2
    v7: softmax x=0x0, out=0x0, type=f32, rows=1, columns=10, in_pitch=16, out_pitch=16
    v8: normalize kind=rms, x=0x0, out=0x0, parameters=0x100, type=f32, rows=2, length=3, inner=5, pitch=16, epsilon=0.5, parameter_rows=2
    v9: local_response_norm x=0x0, out=0x0, type=f32, rows=2, columns=3, in_pitch=16, out_pitch=16, size=5, alpha=0.5, beta=0.75, offset=1.0
    v10: unary kind=elu, type=f32, x=0x0, out=0x0, rows=1, columns=10, in_pitch=16, out_pitch=16, alpha=0.5, clamp_high=1.0
    v11: lookup in_type=i8, out_type=u8, x=0x0, table=0x100, out=0x0, rows=1, columns=10, in_pitch=16, out_pitch=16, zero_point=7
    v12: select type=f32, condition=0x0, a=0x100, b=0x200, out=0x300, size3=16, condition_stride3=1, a_stride3=1
    m2: sync engine=matrix after v3 signal c1@{0}
    s0: store src_space=local, dst_space=global, dst_segment=output, src=0x0, dst=0x0, run=20, count0=2, src_stride0=32, dst_stride0=20 after v12 wait c1>=1
  }
}

// CHECK:      isa.program @everything target("edge-1c", "sha256:03ede02070643b1c") counters(2)
// CHECK-NEXT:   segments(weights = 96, input = 64, output = 40, scratch = 0)
// CHECK-NEXT:   inputs("image" f32[1, 1, 4, 4] at 0)
// CHECK-NEXT:   outputs("scores" f32[1, 10] at 0)
// CHECK-NEXT:   weights("program.weights")
// CHECK-NEXT:   statistics(macs = 1234) {
// CHECK-NEXT:   isa.stream core(0) local(8192) acc(8192) {
// CHECK-NEXT:     d0: load src_space=global, dst_space=local, src=0x0, dst=0x100, run=64
// CHECK-NEXT:     d1: fill dst=0x40, count=10, type=f32, value=-0.5
// CHECK-NEXT:     m0: conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, pad_value=-3, block=64 after d0 for "conv1"
// CHECK-NEXT:     v0: depthwise_conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, accumulate=1,
// CHECK-NEXT:     m1: matmul x=0x0, w=0x0, acc=0x0, type=f32, acc_type=f32, m=2, k=3, n=4, x_pitch=4, out_pitch=4, block=4, transpose_w=1
// CHECK-NEXT:     v1: epilogue {{.*}}, clamp_low=-128.0, clamp_high=0.1 after d1, m0
// CHECK-NEXT:     v2: convert {{.*}}, scale=0.012345
// CHECK-NEXT:     v3: binary kind=add, type=i8, {{.*}}, a_multiplier=2147483648, shift=40, clamp_low=-128.0
// CHECK-NEXT:     v4: pool kind=max,
// CHECK-NEXT:     v5: reduce kind=mean,
// CHECK-NEXT:     v6: resample
// CHECK-NEXT:     v7: softmax
// CHECK-NEXT:     v8: normalize kind=rms, x=0x0, out=0x0, parameters=0x100, type=f32, rows=2, length=3, inner=5, pitch=16, epsilon=0.5, parameter_rows=2
// CHECK-NEXT:     v9: local_response_norm x=0x0, out=0x0, type=f32, rows=2, columns=3, in_pitch=16, out_pitch=16, size=5, alpha=0.5, beta=0.75, offset=1.0
// CHECK-NEXT:     v10: unary kind=elu, type=f32, {{.*}}, alpha=0.5, clamp_high=1.0
// CHECK-NEXT:     v11: lookup in_type=i8, out_type=u8, {{.*}}, zero_point=7
// CHECK-NEXT:     v12: select type=f32, condition=0x0, a=0x100, b=0x200, out=0x300, size3=16, condition_stride3=1, a_stride3=1
// CHECK-NEXT:     m2: sync engine=matrix after v3 signal c1@{0}
// CHECK-NEXT:     s0: store src_space=local, dst_space=global, dst_segment=output, src=0x0, dst=0x0, run=20, count0=2, src_stride0=32, dst_stride0=20 after v12 wait c1>=1
// CHECK-NEXT:   }
// CHECK-NEXT: }

// LOC: d0: load src_space=global, dst_space=local, src=0x0, dst=0x100, run=64 loc("Conv_0")
// LOC: after d0 for "conv1" loc(fused["Conv_0", "Relu_1"])

// GENERIC: "isa.program"() <{sym_name = "everything", target = "edge-1c"
// GENERIC-SAME: inputs = [#isa.port<"image" f32[1, 1, 4, 4] at 0>]
// GENERIC: "isa.stream"() <{core = 0 : i64, local_bytes = 8192 : i64, acc_bytes = 8192 : i64}>
// GENERIC: "isa.fill"() <{name = "d1", fields = array<i64: 64, 10, 10>, reals = array<f64: -5.000000e-01>}> : () -> ()
// GENERIC: "isa.sync"() <{name = "m2", fields = array<i64>, reals = array<f64>, after = ["v3"], signal = array<i64: 1, 0>, engine = "matrix"}> : () -> ()
