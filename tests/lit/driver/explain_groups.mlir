// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f16},convert-tpu-to-tile,tile-plan" --explain-plan=a --explain-plan=b -o /dev/null 2>&1 | filecheck %s
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f16},convert-tpu-to-tile,tile-plan" --plan-trace=%t.json -o /dev/null
// RUN: filecheck %s --check-prefix=TRACE < %t.json
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f16},convert-tpu-to-tile,tile-plan{groups=false}" --explain-plan=a -o /dev/null 2>&1 | filecheck %s --check-prefix=OFF
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f16},convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/groups.schedule},tile-plan" --explain-plan=c -o /dev/null 2>&1 | filecheck %s --check-prefix=GIVEN

// The explanation of a layer says which group it is in, and what the group saves.

func.func @main(%x: tensor<1x16x96x96xf32>) -> tensor<1x16x48x48xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %u = top.weight "u" seed = 1 : tensor<96x16x1x1xf32>
  %a = top.conv2d "a" %x, %u : (tensor<1x16x96x96xf32>, tensor<96x16x1x1xf32>) -> tensor<1x96x96x96xf32>
  %v = top.weight "v" seed = 2 : tensor<96x1x3x3xf32>
  %b = top.conv2d "b" %a, %v strides = [2, 2] pads = [1, 1, 1, 1] groups = 96 : (tensor<1x96x96x96xf32>, tensor<96x1x3x3xf32>) -> tensor<1x96x48x48xf32>
  %w = top.weight "w" seed = 3 : tensor<16x96x1x1xf32>
  %c = top.conv2d "c" %b, %w : (tensor<1x96x48x48xf32>, tensor<16x96x1x1xf32>) -> tensor<1x16x48x48xf32>
  %y = top.relu "y" %c : (tensor<1x16x48x48xf32>) -> tensor<1x16x48x48xf32>
  func.return %y : tensor<1x16x48x48xf32>
}

// CHECK:      a: tpu.conv2d, 1x96x96x96 f16
// CHECK:        group: 4 layers, 'x_f16' to 'c': slice by slice they take {{[0-9.]+}}% fewer cycles by themselves, as what is between them has no room as a whole
// CHECK-NEXT:      slices   cycles
// CHECK-NEXT:        none  {{[0-9,]+}}
// CHECK-NEXT:           4        -
// CHECK-NEXT:           8        -
// CHECK-NEXT:   *      16  {{[0-9,]+}}
// CHECK-NEXT:          32  {{[0-9,]+}}
// CHECK-NEXT:     16 slices along axis 2, one slice after the other, halos kept
// CHECK-NEXT:     a slice of this layer is at most 1x96x6x96
// CHECK-NEXT:   done: {{[0-9,]+}} cycles after the network starts
// CHECK-NEXT:   schedule: <{{.*}}slice_weights = kept>
// CHECK:      b: tpu.conv2d, 1x96x48x48 f16
// CHECK:          a slice of this layer is at most 1x96x3x48

// TRACE: {"name": "a", {{.*}}, "group": {"layers": ["x_f16", "a", "b", "c"], "is_made": true, "why": "gains", "axis": 2, "slices": 16, "halos": "kept", "order": "depth_first", "gain": 0.{{[0-9]+}}, "least_gain": 0.08, "candidates": [{"slices": 1, "cycles": {{[0-9]+}}, "is_chosen": false}, {{.*}}], "slice_shape": [1, 96, 6, 96]}
// TRACE: {"name": "y", {{.*}}, "group": null,

// OFF-NOT: group:

// GIVEN:      group: 3 layers, 'a' to 'c': their schedule says so
// GIVEN-NEXT:   16 slices along axis 2, pipelined, halos recomputed
// GIVEN-NEXT:   a slice of this layer is at most 1x16x3x48
