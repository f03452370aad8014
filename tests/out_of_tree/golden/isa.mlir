// RUN: smalti compile %s --load-plugin=smalti_gates --emit isa -o %t.smalti
// RUN: cat %t.isa.mlir | filecheck %s

// The leaky clamp has an instruction of its own; rows are scaled by three that every target has.

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x5x40x6x!quant.uniform<i8:f32, 0.5:-3>>, %bound: tensor<5x!quant.uniform<i8:f32, 0.5:-3>>) -> tensor<1x5x40x6xf32> attributes {smalti.inputs = ["x", "bound"], smalti.outputs = ["y"]} {
    %0 = gates.tpu_leaky_clamp "pixels" %x, %bound, %bound shift = 3 : (tensor<1x5x40x6x!quant.uniform<i8:f32, 0.5:-3>>, tensor<5x!quant.uniform<i8:f32, 0.5:-3>>, tensor<5x!quant.uniform<i8:f32, 0.5:-3>>) -> tensor<1x5x40x6x!quant.uniform<i8:f32, 0.5:-3>>
    %1 = tpu.cast "floats" %0 : (tensor<1x5x40x6x!quant.uniform<i8:f32, 0.5:-3>>) -> tensor<1x5x40x6xf32>
    %2 = gates.tpu_row_scale "rows" %1 : (tensor<1x5x40x6xf32>) -> tensor<1x5x40x6xf32>
    func.return %2 : tensor<1x5x40x6xf32>
  }
}

// CHECK: isa.stream core(0)
// CHECK: leaky_clamp x={{.*}}, type=i8, rows={{[0-9]+}}, columns=5, in_pitch={{[0-9]+}}, out_pitch={{[0-9]+}}, shift=3, zero_point=-3 after d{{[0-9]+}}
// CHECK: : unary kind=abs, type=f32, {{.*}} clamp_low=0.0009765625
// CHECK: : reduce {{.*}}kind=max{{.*}} type=f32
// CHECK: : binary kind=div, type=f32
// CHECK: isa.stream core(1)
// CHECK: leaky_clamp
