// RUN: smalti-opt %s --split-input-file --verify-diagnostics --parsing-diagnostics | filecheck %s

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    v0: softmx x=0x0
  }
}

// CHECK: error: {{.*}}there is no instruction 'softmx' (known: load,{{.*}}); did you mean 'softmax'?

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    d0: fill dst=0x0, count=1, typ=i8
  }
}

// CHECK: error: {{.*}}unexpected 'typ', expected {{.*}}; did you mean 'type'?

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    d0: fill dst=0x0, count=1
  }
}

// CHECK: error: {{.*}}type= is missing (storage type)

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    d0: fill dst=0x0, count=0, type=i8
  }
}

// CHECK: error: {{.*}}field 'count' is 1 to 4294967295 (elements), got 0

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    d0: fill dst=0x0, count=1, type=i8 after
  }
}

// CHECK: error: {{.*}}the line ends too early, expected an instruction's name

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    m0: sync engine=cpu
  }
}

// CHECK: error: {{.*}}unexpected 'cpu', expected dma_in, dma_out, matrix, vector

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    m0: sync engine=matrix
    m0: sync engine=matrix
  }
}

// CHECK: error: {{.*}}core 0: two instructions are called 'm0'

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    m0: sync engine=matrix after m1
    m1: sync engine=matrix
  }
}

// CHECK: error: {{.*}}core 0: instruction 'm0' is after 'm1', which is not an instruction that stands earlier in this stream

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    m0: sync engine=matrix wait c1>=1
  }
}

// CHECK: error: {{.*}}core 0: instruction 'm0' (sync): 'wait' names counter 1, the program has 1

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    m0: sync engine=matrix signal c0@{1}
  }
}

// CHECK: error: {{.*}}core 0: instruction 'm0' (sync): 'signal' names core 1, the program has 1

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    d0: fill dst=0x7fffffff, count=1, type=i8
  }
}

// CHECK: error: {{.*}}core 0: instruction 'd0' (fill): field 'dst': it writes bytes 0x7fffffff to 0x80000000 of local memory, which has

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    d0: load src_space=global, dst_space=local, src_segment=input, src=0x1, dst=0x0, run=64
  }
}

// CHECK: error: {{.*}}core 0: instruction 'd0' (load): field 'src': it reads bytes 0x1 to 0x41 of segment 'input', which has 0x40

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {
    d0: load src_space=local, dst_space=global, src=0x1, dst=0x0, run=64
  }
}

// CHECK: error: {{.*}}core 0: instruction 'd0' (load): it must have dst_space one of local, got dst_space=global

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs("x" f32[17] at 0) outputs() {
  isa.stream core(0) local(0) acc(0) {

  }
}

// CHECK: error: {{.*}}input 'x' ends at byte 68 of segment 'input', which has 64

// -----

isa.program @p target("edge-1c", "sha256:0000000000000000") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {

  }
}

// CHECK: error: {{.*}}program @p was made for a target 'edge-1c' with the content hash sha256:0000000000000000, the target now has sha256:03ede02070643b1c

// -----

isa.program @p target("edge-9c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(0) local(0) acc(0) {

  }
}

// CHECK: error: {{.*}}edge-9c

// -----

isa.program @p target("edge-1c", "sha256:03ede02070643b1c") counters(1)
    segments(weights = 0, input = 64, output = 0, scratch = 0) inputs() outputs() {
  isa.stream core(1) local(0) acc(0) {

  }
}

// CHECK: error: {{.*}}there is one stream for each core 0, 1, …, got cores [1]

// -----

"isa.fill"() <{name = "d0", fields = array<i64: 1, 2, 99>, reals = array<f64: 0.0>}> : () -> ()

// CHECK: error: {{.*}}instruction 'd0' (fill): field 'type' is one of i8,{{.*}} got 99
