// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f32},tpu-fuse-activation,convert-tpu-to-tile,tile-cut-to-local-memory,tile-assign-addresses,convert-tile-to-isa" --provenance=Relu_1 -o /dev/null 2>&1 | filecheck %s
// RUN: not smalti-opt %s -p "canonicalize" --provenance=Relu_2 2>&1 | filecheck %s --check-prefix=ABSENT

func.func @main(%x: tensor<1x3x6x6xf32>) -> tensor<1x3x6x6xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["z"]} {
  %y = top.add "y" %x, %x : (tensor<1x3x6x6xf32>, tensor<1x3x6x6xf32>) -> tensor<1x3x6x6xf32> loc("Add_0")
  %z = top.relu "z" %y : (tensor<1x3x6x6xf32>) -> tensor<1x3x6x6xf32> loc("Relu_1")
  func.return %z : tensor<1x3x6x6xf32>
}

// CHECK:      === 'Relu_1' at level top: 1 top.relu ===
// CHECK-NEXT:   %{{.*}} = top.relu "z" %{{[a-z0-9]+}}
// CHECK-NEXT: === 'Relu_1' at level tpu: 1 tpu.add ===
// CHECK-NEXT:   %{{.*}} = tpu.add "z" {{.*}} clamp_low = 0.0
// CHECK-NEXT: === 'Relu_1' at level tile: {{.*}}tile.copy{{.*}}1 tile.binary{{.*}} ===
// CHECK:      === 'Relu_1' at level isa: {{.*}}1 binary{{.*}} ===
// CHECK-NEXT:   core 0  {{d[0-9]+}}: load

// ABSENT: error: no op stems from the node 'Relu_2'
// ABSENT: hint: did you mean Relu_1?
