// RUN: smalti-opt %s --split-input-file --verify-diagnostics

// A case for each rule that the fields of an instruction keep.

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have peer_core 0 unless both memories are local, got peer_core=2}}
    d0: load src_space=global, dst_space=local, src=0x0, dst=0x100, run=64, count1=1, peer_core=2
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have dst_space one of local, got dst_space=global}}
    d0: load src_space=global, dst_space=global, src=0x0, dst=0x100, run=64, count1=1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have src_space one of global, local, got src_space=acc}}
    d0: load src_space=acc, dst_space=local, src=0x0, dst=0x100, run=64, count1=1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have group 0 unless it reads global memory, got group=1}}
    d0: load src_space=local, dst_space=local, src=0x0, dst=0x100, run=64, count1=1, group=1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have src_space one of local, got src_space=global}}
    s0: store src_space=global, dst_space=local, dst_segment=output, src=0x0, dst=0x0, run=20, count0=2, src_stride0=32, dst_stride0=20
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have dst_space one of global, local, got dst_space=acc}}
    s0: store src_space=local, dst_space=acc, dst_segment=output, src=0x0, dst=0x0, run=20, count0=2, src_stride0=32, dst_stride0=20
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have group 0 unless it writes local memory, got group=1}}
    s0: store src_space=local, dst_space=global, dst_segment=output, src=0x0, dst=0x0, run=20, count0=2, src_stride0=32, dst_stride0=20, group=1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have dst_segment output or scratch, got dst_segment=weights}}
    s0: store src_space=local, dst_space=global, dst_segment=weights, src=0x0, dst=0x0, run=20, count0=2, src_stride0=32, dst_stride0=20
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096)
    calls(argmax(f32[2, 3, 2]) with {axis = 1}) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have out_segment one of output, scratch, got out_segment=weights}}
    s0: host_call call=1, x_segment=input, out_segment=weights, x=0x0, x_bytes=48, out=0x0, out_bytes=32
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096)
    calls(argmax(f32[2, 3, 2]) with {axis = 1}) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{field 'call' names call 2, the program has 1}}
    s0: host_call call=2, x_segment=input, out_segment=output, x=0x0, x_bytes=48, out=0x0, out_bytes=32
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096)
    calls(argmax(f32[2, 3, 2]) with {axis = 1}) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{field 'x_bytes' is 52, argmax(f32[2, 3, 2], axis=1) has 48}}
    s0: host_call call=1, x_segment=input, out_segment=output, x=0x0, x_bytes=52, out=0x0, out_bytes=32
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096)
    calls(argmax(f32[2, 3, 2]) with {axis = 1}) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{field 'out_bytes' is 16, argmax(f32[2, 3, 2], axis=1) has 32}}
    s0: host_call call=1, x_segment=input, out_segment=output, x=0x0, x_bytes=48, out=0x0, out_bytes=16
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096)
    calls(argmax(f32[2, 3, 2]) with {axis = 1}) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{field 'x': it reads bytes 0xff0 to 0x1020 of segment 'input', which has 0x1000}}
    s0: host_call call=1, x_segment=input, out_segment=output, x=0xff0, x_bytes=48, out=0x0, out_bytes=32
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have type one of i8, u8, i16, f16, bf16, f32, f8E4M3FN, f8E5M2, got type=u32}}
    m0: conv2d x=0x400, w=0x100, acc=0x0, type=u32, acc_type=i32, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, pad_value=-3, block=64
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have acc_type one of i32, i64, f32, got acc_type=u32}}
    m0: conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=u32, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, pad_value=-3, block=64
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have type and acc_type both integer or both float, got type=f16, acc_type=i32}}
    m0: conv2d x=0x400, w=0x100, acc=0x0, type=f16, acc_type=i32, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, pad_value=-3, block=64
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have kernel_height * kernel_width <= 1048576, got kernel_height=20, kernel_width=65535}}
    m0: conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16, kernel_height=20, kernel_width=65535, pad_value=-3, block=64
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have windows near the image ( out_height , stride_height , kernel_height , dilation_height and out_width , stride_width , kernel_width , dilation_width : what they span has at most 4 times the elements of in_height and in_width , and 67108864 ), got in_height=10, in_width=10, out_height=8, out_width=8, kernel_height=3, kernel_width=3, stride_height=65535, stride_width=1, dilation_height=1, dilation_width=1}}
    m0: conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, pad_value=-3, block=64, stride_height=65535
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have in_channels <= in_pitch, got in_channels=20, in_pitch=16}}
    m0: conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, in_height=10, in_width=10, in_channels=20, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, pad_value=-3, block=64
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have out_channels <= out_pitch, got out_channels=100, out_pitch=16}}
    m0: conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=100, out_pitch=16, kernel_height=3, kernel_width=3, pad_value=-3, block=64
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have in_channels a multiple of groups, got in_channels=16, groups=5}}
    m0: conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, pad_value=-3, block=64, groups=5
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have out_channels a multiple of groups, got out_channels=1, groups=2}}
    m0: conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=1, out_pitch=16, kernel_height=3, kernel_width=3, pad_value=-3, block=64, groups=2
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have out_channels a multiple of in_channels, got in_channels=16, out_channels=5}}
    v0: depthwise_conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, accumulate=1, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=5, out_pitch=16, kernel_height=3, kernel_width=3, block=64
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have out_channels <= block, got out_channels=16, block=1}}
    v0: depthwise_conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, accumulate=1, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, block=1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have k <= x_pitch, got k=9, x_pitch=4}}
    m0: matmul x=0x0, w=0x0, acc=0x0, type=f32, acc_type=f32, m=2, k=9, n=4, x_pitch=4, out_pitch=4, block=4, transpose_w=1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have n <= out_pitch, got n=1000, out_pitch=4}}
    m0: matmul x=0x0, w=0x0, acc=0x0, type=f32, acc_type=f32, m=2, k=3, n=1000, x_pitch=4, out_pitch=4, block=4, transpose_w=1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have k <= block when transpose_w, got k=3, block=1, transpose_w=1}}
    m0: matmul x=0x0, w=0x0, acc=0x0, type=f32, acc_type=f32, m=2, k=3, n=4, x_pitch=4, out_pitch=4, block=1, transpose_w=1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have k <= x_pitch, got k=9, x_pitch=4}}
    v0: vector_matmul x=0x0, w=0x0, acc=0x0, type=f32, acc_type=f32, m=1, k=9, n=4, x_pitch=4, out_pitch=4, block=4
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have n <= out_pitch, got n=1000, out_pitch=4}}
    v0: vector_matmul x=0x0, w=0x0, acc=0x0, type=f32, acc_type=f32, m=1, k=3, n=1000, x_pitch=4, out_pitch=4, block=4
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have acc_type and type both integer or both float, got acc_type=i32, type=f16}}
    v0: epilogue acc=0x0, out=0x800, table=0x40, acc_type=i32, type=f16, rows=64, channels=16, acc_pitch=16, out_pitch=16, table_pitch=16, clamp_low=-128.0, clamp_high=0.1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have channels <= acc_pitch, got channels=20, acc_pitch=16}}
    v0: epilogue acc=0x0, out=0x800, table=0x40, acc_type=i32, type=i8, rows=64, channels=20, acc_pitch=16, out_pitch=16, table_pitch=16, clamp_low=-128.0, clamp_high=0.1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have channels <= out_columns ( out_pitch if that is 0 ), got channels=16, out_pitch=3, out_columns=0}}
    v0: epilogue acc=0x0, out=0x800, table=0x40, acc_type=i32, type=i8, rows=64, channels=16, acc_pitch=16, out_pitch=3, table_pitch=16, clamp_low=-128.0, clamp_high=0.1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have channels <= table_pitch, got channels=16, table_pitch=2}}
    v0: epilogue acc=0x0, out=0x800, table=0x40, acc_type=i32, type=i8, rows=64, channels=16, acc_pitch=16, out_pitch=16, table_pitch=2, clamp_low=-128.0, clamp_high=0.1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have channels <= residual_pitch when there is a residual, got residual=0, channels=16, residual_pitch=0}}
    v0: epilogue acc=0x0, out=0x800, table=0x40, acc_type=i32, type=i8, rows=64, channels=16, acc_pitch=16, out_pitch=16, table_pitch=16, clamp_low=-128.0, clamp_high=0.1, residual=0
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have clamp_low <= clamp_high, got clamp_low=1.0, clamp_high=0.1}}
    v0: epilogue acc=0x0, out=0x800, table=0x40, acc_type=i32, type=i8, rows=64, channels=16, acc_pitch=16, out_pitch=16, table_pitch=16, clamp_low=1, clamp_high=0.1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have columns <= in_pitch, got columns=5, in_pitch=4}}
    v0: convert x=0x0, out=0x0, in_type=i8, out_type=f32, rows=2, columns=5, in_pitch=4, out_pitch=4, scale=0.012345
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have columns <= out_columns ( out_pitch if that is 0 ), got columns=3, out_pitch=2, out_columns=0}}
    v0: convert x=0x0, out=0x0, in_type=i8, out_type=f32, rows=2, columns=3, in_pitch=4, out_pitch=2, scale=0.012345
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have shift <= 62, got shift=100}}
    v0: convert x=0x0, out=0x0, in_type=i8, out_type=f32, rows=2, columns=3, in_pitch=4, out_pitch=4, scale=0.012345, shift=100
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have scale > 0, got scale=0.0}}
    v0: convert x=0x0, out=0x0, in_type=i8, out_type=f32, rows=2, columns=3, in_pitch=4, out_pitch=4, scale=0
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have a type that its kind has ( floats : all but and , or , xor ; integers : add , sub , mul , min , max and comparisons ; bool : and , or , xor and comparisons ), got kind=div, type=i8, a=0}}
    v0: binary kind=div, type=i8, a=0x0, b=0x10, out=0x20, size3=16, a_stride3=1, b_stride3=1, a_multiplier=2147483648, shift=40, clamp_low=-128.0
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have inner <= out_pitch, got inner=20, out_pitch=16}}
    v0: reduce kind=mean, x=0x0, out=0x0, type=i8, outer=2, length=49, inner=20, outer_stride=784, length_stride=16, out_pitch=16
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have a float type unless kind is mean, sum, max, min, got kind=sum_square, type=i8}}
    v0: reduce kind=sum_square, x=0x0, out=0x0, type=i8, outer=2, length=49, inner=16, outer_stride=784, length_stride=16, out_pitch=16
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have taps 1 to gather, got taps=2, gather=1}}
    v0: resample x=0x0, out=0x0, index=0x0, weight=0x0, type=f32, outer=1, in_length=2, out_length=4, inner=3, taps=2, gather=1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have type one of f16, bf16, f32, f64, got type=u8}}
    v0: softmax x=0x0, out=0x0, type=u8, rows=1, columns=10, in_pitch=16, out_pitch=16
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have length * inner <= pitch, got length=5, inner=5, pitch=16}}
    v0: normalize kind=rms, x=0x0, out=0x0, parameters=0x100, type=f32, rows=2, length=5, inner=5, pitch=16, epsilon=0.5, parameter_rows=2
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have epsilon >= 0, got epsilon=-1.0}}
    v0: normalize kind=rms, x=0x0, out=0x0, parameters=0x100, type=f32, rows=2, length=3, inner=5, pitch=16, epsilon=-1, parameter_rows=2
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have rows a multiple of parameter_rows, got rows=1, parameter_rows=2}}
    v0: normalize kind=rms, x=0x0, out=0x0, parameters=0x100, type=f32, rows=1, length=3, inner=5, pitch=16, epsilon=0.5, parameter_rows=2
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have length a multiple of parameter_length, got length=3, parameter_length=7}}
    v0: normalize kind=rms, x=0x0, out=0x0, parameters=0x100, type=f32, rows=2, length=3, inner=5, pitch=16, epsilon=0.5, parameter_rows=2, parameter_length=7
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have parameter_inner 1 or inner, got inner=5, parameter_inner=2}}
    v0: normalize kind=rms, x=0x0, out=0x0, parameters=0x100, type=f32, rows=2, length=3, inner=5, pitch=16, epsilon=0.5, parameter_rows=2, parameter_inner=2
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have finite alpha , beta and offset, got alpha=inf, beta=0.75, offset=1.0}}
    v0: local_response_norm x=0x0, out=0x0, type=f32, rows=2, columns=3, in_pitch=16, out_pitch=16, size=5, alpha=inf, beta=0.75, offset=1.0
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have type bool where its kind is not , and a float type otherwise, got kind=not, type=f32}}
    v0: unary kind=not, type=f32, x=0x0, out=0x0, rows=1, columns=10, in_pitch=16, out_pitch=16, alpha=0.5, clamp_high=1.0
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have in_type one of i8, u8, got in_type=i16}}
    v0: lookup in_type=i16, out_type=u8, x=0x0, table=0x100, out=0x0, rows=1, columns=10, in_pitch=16, out_pitch=16, zero_point=7
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have rows <= out_columns ( out_pitch if that is 0 ), got rows=3, out_pitch=2, out_columns=0}}
    v0: permute x=0x0, out=0x800, type=i8, rows=3, columns=10, in_pitch=16, out_pitch=2
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have type one of i8, u8, i16, u16, i32, u32, f16, bf16, f32, bool, f8E4M3FN, f8E4M3FNUZ, f8E5M2, f8E5M2FNUZ, f8E8M0FNU, f6E2M3FN, f6E3M2FN, f4E2M1FN, i4, u4, i2, u2, got type=i64}}
    v0: permute x=0x0, out=0x800, type=i64, rows=3, columns=10, in_pitch=16, out_pitch=16
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have out_columns <= out_pitch, got out_pitch=16, out_columns=20}}
    v0: unary kind=abs, type=f32, x=0x0, out=0x0, rows=1, columns=10, in_pitch=16, out_pitch=16, out_columns=20
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have columns <= out_pitch, got columns=10, out_pitch=8}}
    v0: softmax x=0x0, out=0x0, type=f32, rows=1, columns=10, in_pitch=16, out_pitch=8
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have out_pitch 0 or at least size3, got size3=16, out_pitch=8}}
    v0: binary kind=add, type=f32, a=0x0, b=0x10, out=0x20, size3=16, a_stride3=1, b_stride3=1, out_pitch=8
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have columns <= pitch, got pitch=16, columns=20}}
    v0: pool kind=max, x=0x0, out=0x1000, type=u8, in_height=4, in_width=4, out_height=2, out_width=2, pitch=16, columns=20
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have out_columns at least columns , at most out_pitch ( a 0 stands for pitch , for columns and out_pitch , and for out_pitch ), got pitch=16, columns=8, out_pitch=32, out_columns=4}}
    v0: pool kind=max, x=0x0, out=0x1000, type=u8, in_height=4, in_width=4, out_height=2, out_width=2, pitch=16, columns=8, out_pitch=32, out_columns=4
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have index_space one of global, local, got index_space=acc}}
    d0: gather table_segment=input, index_space=acc, table=0x0, table_rows=5, row_bytes=8, pitch=8, index=0x0, index_type=i64, rows=3, out=0x40
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have index_type one of i32, i64, got index_type=i16}}
    d0: gather table_segment=input, index_space=local, table=0x0, table_rows=5, row_bytes=8, pitch=8, index=0x0, index_type=i16, rows=3, out=0x40
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have row_offset + row_bytes <= pitch, got row_offset=4, row_bytes=8, pitch=8}}
    d0: gather table_segment=input, index_space=local, table=0x0, table_rows=5, row_offset=4, row_bytes=8, pitch=8, index=0x0, index_type=i64, rows=3, out=0x40
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{reads bytes 0x0 to 0x2000 of segment 'input', which has 0x1000}}
    d0: gather table_segment=input, index_space=local, table=0x0, table_rows=1024, row_bytes=8, pitch=8, index=0x0, index_type=i64, rows=3, out=0x40
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have w_type one of none, i8, i4, got w_type=u8}}
    m0: matmul x=0x0, w=0x0, acc=0x0, type=i8, acc_type=i32, m=2, k=3, n=4, x_pitch=4, out_pitch=4, block=4, w_type=u8
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have narrow_x 0 unless w_type is i4 and type an integer type, got type=i8, w_type=none, narrow_x=1}}
    m0: matmul x=0x0, w=0x0, acc=0x0, type=i8, acc_type=i32, m=2, k=3, n=4, x_pitch=4, out_pitch=4, block=4, narrow_x=1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have w_group 0 or narrow_x 0 and w_type i4, got w_type=i8, narrow_x=0, w_group=2}}
    m0: matmul x=0x0, w=0x0, acc=0x0, type=f16, acc_type=f32, m=2, k=3, n=4, x_pitch=4, out_pitch=4, block=4, w_type=i8, w_group=2
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have type of more bits than w_type, or unsigned of as many, got type=i8, w_type=i8}}
    m0: matmul x=0x0, w=0x0, acc=0x0, type=i8, acc_type=i32, m=2, k=3, n=4, x_pitch=4, out_pitch=4, block=4, w_type=i8
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have transpose_w 0 and w_zero_point 0 when w_type is given, got transpose_w=1, w_zero_point=0, w_type=i4}}
    m0: matmul x=0x0, w=0x0, acc=0x0, type=i8, acc_type=i32, m=2, k=3, n=4, x_pitch=4, out_pitch=4, block=4, transpose_w=1, w_type=i4
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have w_zero_point 0 when w_type is given, got w_zero_point=3, w_type=i4}}
    v0: vector_matmul x=0x0, w=0x0, acc=0x0, type=i8, acc_type=i32, m=1, k=3, n=4, x_pitch=4, out_pitch=4, block=4, w_zero_point=3, w_type=i4
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have acc_type a float type when scaled, got acc_type=i32, type=i8, scaled=1}}
    v1: epilogue acc=0x0, out=0x800, table=0x40, acc_type=i32, type=i8, rows=64, channels=16, acc_pitch=16, out_pitch=16, table_pitch=16, scaled=1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have type one of i8, u8, i16, f16, bf16, f32, got type=f8E5M2}}
    v0: vector_matmul x=0x0, w=0x40, acc=0x0, type=f8E5M2, acc_type=f32, m=1, k=3, n=4, x_pitch=16, out_pitch=16, block=16
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have type one of i8, u8, i16, f16, bf16, f32, got type=f8E4M3FN}}
    v0: depthwise_conv2d x=0x400, w=0x100, acc=0x0, type=f8E4M3FN, acc_type=f32, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, block=64
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 4096, output = 4096, scratch = 4096) inputs() outputs() {
  isa.stream core(0) local(65536) acc(65536) {
    // expected-error @below {{it must have w_group 0, got w_group=4}}
    v0: depthwise_conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, block=64, w_type=i4, w_group=4
  }
}
