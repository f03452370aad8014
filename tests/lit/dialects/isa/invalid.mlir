// RUN: smalti-opt %s --split-input-file --verify-diagnostics

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    // expected-error-re @below {{there is no instruction 'softmx' (known: load,{{.*}}); did you mean 'softmax'?}}
    v0: softmx x=0x0
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    // expected-error-re @below {{unexpected 'typ', expected {{.*}}; did you mean 'type'?}}
    d0: fill dst=0x0, count=1, typ=i8
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    // expected-error @below {{type= is missing (storage type)}}
    d0: fill dst=0x0, count=1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    // expected-error @below {{field 'count' is 1 to 4294967295 (elements), got 0}}
    d0: fill dst=0x0, count=0, type=i8
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    // expected-error @below {{the line ends too early, expected an instruction's name}}
    d0: fill dst=0x0, count=1, type=i8 after
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    // expected-error @below {{unexpected 'cpu', expected dma_in, dma_out, matrix, vector}}
    m0: sync engine=cpu
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    m0: sync engine=matrix
    // expected-error @below {{core 0: two instructions are called 'm0'}}
    m0: sync engine=matrix
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    // expected-error @below {{core 0: instruction 'm0' is after 'm1', which is not an instruction that stands earlier in this stream}}
    m0: sync engine=matrix after m1
    m1: sync engine=matrix
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    // expected-error @below {{core 0: instruction 'm0' (sync): 'wait' names counter 1, the program has 1}}
    m0: sync engine=matrix wait c1>=1
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    // expected-error @below {{core 0: instruction 'm0' (sync): 'signal' names core 1, the program has 1}}
    m0: sync engine=matrix signal c0@{1}
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    // expected-error @below {{core 0: instruction 'd0' (fill): field 'dst': it writes bytes 0x7fffffff to 0x80000000 of local memory, of which the program uses 0x0}}
    d0: fill dst=0x7fffffff, count=1, type=i8
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    // expected-error @below {{core 0: instruction 'd0' (load): field 'src': it reads bytes 0x1 to 0x41 of segment 'input', which has 0x40}}
    d0: load src_space=global, dst_space=local, src_segment=input, src=0x1, dst=0x0, run=64
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    // expected-error @below {{core 0: instruction 'd0' (load): it must have dst_space one of local, got dst_space=global}}
    d0: load src_space=local, dst_space=global, src=0x1, dst=0x0, run=64
  }
}

// -----

// expected-error @below {{input 'x' ends at byte 68 of segment 'input', which has 64}}
isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs("x" f32[17] at 0) outputs() {
  isa.stream core(0) local(0) acc(0) {

  }
}

// -----

// expected-error @below {{program @p was made for a target 'edge-1c' with the content hash sha256:0000000000000000, the target now has sha256:f987424c11ff92f3}}
isa.program @p target("edge-1c", "sha256:0000000000000000") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {

  }
}

// -----

// expected-error @below {{edge-9c}}
isa.program @p target("edge-9c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {

  }
}

// -----

// expected-error @below {{there is one stream for each core 0, 1, …, got cores [1]}}
isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(1) local(0) acc(0) {

  }
}

// -----

// expected-error-re @below {{instruction 'd0' (fill): field 'type' is one of i8,{{.*}} got 99}}
"isa.fill"() <{name = "d0", fields = array<i64: 1, 2, 99>, reals = array<f64: 0.0>}> : () -> ()

// -----

"isa.program"() <{sym_name = "p", target = "edge-1c", target_hash = "sha256:f987424c11ff92f3", counters = 1 : i64, segments = array<i64: 0, 64, 0, 0>, inputs = [], outputs = []}> ({
  "isa.stream"() <{core = 0 : i64, local_bytes = 0 : i64, acc_bytes = 0 : i64}> ({
  ^bb0:
    // expected-error @below {{'isa.sync': instruction 'a b' (sync): the name has to be letters, digits and underscores}}
    "isa.sync"() <{name = "a b", fields = array<i64>, reals = array<f64>, engine = "matrix"}> : () -> ()
  }) : () -> ()
}) : () -> ()

// -----

"isa.program"() <{sym_name = "p", target = "edge-1c", target_hash = "sha256:f987424c11ff92f3", counters = 1 : i64, segments = array<i64: 0, 64, 0, 0>, inputs = [], outputs = []}> ({
  "isa.stream"() <{core = 0 : i64, local_bytes = 0 : i64, acc_bytes = 0 : i64}> ({
  ^bb0:
    // expected-error @below {{'isa.sync': instruction 'm0' (sync): instructions carry no attributes, got note}}
    "isa.sync"() <{name = "m0", fields = array<i64>, reals = array<f64>, engine = "matrix"}> {note = 1 : i64} : () -> ()
  }) : () -> ()
}) : () -> ()

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    // expected-error @below {{port 'x': there is no storage type 'f12'}}
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs("x" f12[4] at 0) outputs() {
  isa.stream core(0) local(0) acc(0) {
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    // expected-error @below {{port 'x': a size or offset is negative}}
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs("x" i8[4] at -1) outputs() {
  isa.stream core(0) local(0) acc(0) {
  }
}

// -----

// expected-error @below {{'isa.stream': isa.stream stands in an isa.program}}
isa.stream core(0) local(0) acc(0) {
}

// -----

// expected-error @below {{'isa.program': target 'edge-1c' has 1 cores, got 2 streams}}
isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
  }
  isa.stream core(1) local(0) acc(0) {
  }
}

// -----

// expected-error @below {{'isa.program': segments are 4 sizes (weights, input, output, scratch), got [0, -1, 0, 0]}}
isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = -1, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
  }
}

// -----

// expected-error @below {{'isa.program': the segments take 1099511627776 bytes, the target's global memory has 1073741824}}
isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 1099511627776, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
  }
}

// -----

// expected-error @below {{'isa.program': there are at most 65536 counters, got 65537}}
isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(65537)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
  }
}

// -----

// expected-error @below {{'isa.program': segment 'weights' has 64 bytes, and there is no key for them in the weight store}}
isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 64, input = 0, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
  }
}

// -----

// expected-error @below {{'isa.program': statistics are integers}}
"isa.program"() <{sym_name = "p", target = "edge-1c", target_hash = "sha256:f987424c11ff92f3", counters = 1 : i64, segments = array<i64: 0, 64, 0, 0>, inputs = [], outputs = [], statistics = {macs = "many"}}> ({
  "isa.stream"() <{core = 0 : i64, local_bytes = 0 : i64, acc_bytes = 0 : i64}> ({
  ^bb0:
  }) : () -> ()
}) : () -> ()

// -----

"isa.program"() <{sym_name = "p", target = "edge-1c", target_hash = "sha256:f987424c11ff92f3", counters = 1 : i64, segments = array<i64: 0, 64, 0, 0>, inputs = [], outputs = []}> ({
  "isa.stream"() <{core = 0 : i64, local_bytes = 0 : i64, acc_bytes = 0 : i64}> ({
  ^bb0:
    // expected-error @below {{'tile.alloc': core 0: a stream holds instructions only, got tile.alloc}}
    %a = tile.alloc core 0 : memref<4xi8, "local">
  }) : () -> ()
}) : () -> ()

// -----

"isa.program"() <{sym_name = "p", target = "edge-1c", target_hash = "sha256:f987424c11ff92f3", counters = 1 : i64, segments = array<i64: 0, 64, 0, 0>, inputs = [], outputs = []}> ({
    // expected-error @below {{'isa.sync': an isa.program holds streams only, got isa.sync}}
    "isa.sync"() <{name = "m0", fields = array<i64>, reals = array<f64>, engine = "matrix"}> : () -> ()
}) : () -> ()

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  // expected-error @below {{'isa.stream': core 0 uses 1099511627776 bytes of local memory, the target has 524288}}
  isa.stream core(0) local(1099511627776) acc(0) {
  }
}

// -----

// What counts is the memory that the program says it uses, not all that the target has.
isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(64) acc(0) {
    // expected-error @below {{core 0: instruction 'd0' (fill): field 'dst': it writes bytes 0x0 to 0x80 of local memory, of which the program uses 0x40}}
    d0: fill dst=0x0, count=128, type=i8
  }
}

// -----

isa.program @p target("default-8c", "sha256:d554696df68563fa") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(64) acc(0) {
  }
  isa.stream core(1) local(128) acc(0) {
    // expected-error @below {{core 1: instruction 's0' (store): field 'dst': it writes bytes 0x0 to 0x80 of core 0's local memory, of which the program uses 0x40}}
    s0: store src_space=local, dst_space=local, peer_core=1, src=0x0, dst=0x0, run=128
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    // expected-error @below {{port 'x': order [0, 0] is no permutation of 2 axes}}
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs("x" i8[4, 2] order [0, 0] at 0) outputs() {
  isa.stream core(0) local(0) acc(0) {
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    // expected-error @below {{port 'x': f32 cannot become i8 without a scale}}
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs("x" i8[4] model f32 at 0) outputs() {
  isa.stream core(0) local(0) acc(0) {
  }
}

// -----

isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(1)
    // expected-error @below {{port 'x': quantized integers have at most 32 bits, not those of i64}}
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs("x" i64[4] model f32 scale 0.5 zero_point 0 at 0) outputs() {
  isa.stream core(0) local(0) acc(0) {
  }
}

// -----

// expected-error @below {{neg: unknown storage type 'i7' (known: f32, f16, bf16, f64, i8, i16, i32, i64, u8, u16, u32, u64, bool, f8E4M3FN, f8E4M3FNUZ, f8E5M2, f8E5M2FNUZ, f8E8M0FNU, f6E2M3FN, f6E3M2FN, f4E2M1FN, i4, u4, i2, u2)}}
isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0) segments(weights = 0, input = 8, output = 8, scratch = 0) calls(neg(i7[1])) inputs() outputs() {
}

// -----

// expected-error @below {{there is no function 'negg' (did you mean 'neg'?)}}
isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0) segments(weights = 0, input = 8, output = 8, scratch = 0) calls(negg(i64[1])) inputs() outputs() {
}

// -----

// expected-error @below {{neg: x has elements of u8, expected i8, i16, i32, i64, f32, f16, bf16, f64}}
isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0) segments(weights = 0, input = 8, output = 8, scratch = 0) calls(neg(u8[1])) inputs() outputs() {
}

// -----

// expected-error @below {{neg: negative size in [-4]}}
isa.program @p target("edge-1c", "sha256:f987424c11ff92f3") counters(0) segments(weights = 0, input = 8, output = 8, scratch = 0) calls(neg(i64[-4])) inputs() outputs() {
}
