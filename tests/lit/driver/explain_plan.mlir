// RUN: smalti-opt %s -p "convert-top-to-tpu{quantize=f32},convert-tpu-to-tile,tile-plan" --explain-plan=Conv_a --explain-plan=c -o /dev/null 2>&1 | filecheck %s
// RUN: smalti-opt %s -p "convert-top-to-tpu{quantize=f32},convert-tpu-to-tile,tile-plan" --plan-trace=%t.json -o /dev/null
// RUN: filecheck %s --check-prefix=TRACE < %t.json
// RUN: smalti compile %s --quantize f32 -o %t.smalti --explain-plan "Conv_?" 2>&1 | filecheck %s --check-prefix=COMPILE
// RUN: not smalti compile %s --quantize f32 -o %t.smalti --explain-plan Conv_b 2>&1 | filecheck %s --check-prefix=ABSENT
// RUN: not smalti compile %s --quantize f32 -o %t.smalti --emit tpu --plan-trace %t.json 2>&1 | filecheck %s --check-prefix=NOPLAN
// RUN: not smalti-opt %s -p canonicalize --explain-plan=a 2>&1 | filecheck %s --check-prefix=NOPLAN
// RUN: not smalti compile %s --quantize f32 -o %t.smalti --plan-trace %s 2>&1 | filecheck %s --check-prefix=INPUT

// What tile-plan decides is explained for the layers of a name, and written for all.

func.func @main(%x: tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %w = top.weight "w" seed = 1 : tensor<16x16x3x3xf32>
  %a = top.conv2d "a" %x, %w pads = [1, 1, 1, 1] : (tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>) -> tensor<1x16x8x8xf32> loc("Conv_a")
  %b = top.relu "b" %a : (tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32> loc("Relu_b")
  %c = top.concat "c" %a, %b axis = 1 : (tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>) -> tensor<1x32x8x8xf32> loc("Concat_c")
  %v = top.weight "v" seed = 2 : tensor<16x32x1x1xf32>
  %y = top.conv2d "y" %c, %v : (tensor<1x32x8x8xf32>, tensor<16x32x1x1xf32>) -> tensor<1x16x8x8xf32> loc("Conv_y")
  func.return %y : tensor<1x16x8x8xf32>
}

// CHECK:      a: tpu.conv2d, 1x16x8x8 f32
// CHECK-NEXT:   from Conv_a
// CHECK-NEXT:   split: the best of {{[0-9]+}} ways{{.*}}; the next one makes the network {{[0-9.]+}}% slower
// CHECK-NEXT:      split    cores  matrix  vector  load {{.*}} layer  network
// CHECK-NEXT:   *  {{[0-9x]+}}
// CHECK:          limited by
// CHECK-NEXT:   tile: {{.*}} tried fit into half of the memories; cycles are those of the first part; chosen with the tiles of the layers around it
// CHECK-NEXT:      tile      order           depth  load  matrix  vector  store  cycles  done   local    acc
// CHECK:       *  {{[0-9x]+}}  channels_outer     16
// CHECK:        output: on chip, in the buffer of 'c', which is joined of it: there is room
// CHECK-NEXT:     at most {{[0-9,]+}} bytes of a core, until 'c' is done
// CHECK-NEXT:   weights: multicast: {{[2-8]}} cores need the same
// CHECK-NEXT:   activations: multicast: {{[2-8]}} cores need the same
// CHECK-NEXT:   done: {{[0-9,]+}} cycles after the network starts
// CHECK-NEXT:   schedule: <cores = [{{.*}}], {{.*}}, output = in_place, weights = multicast, activations = multicast>
// CHECK-EMPTY:
// CHECK-NEXT: c: tpu.concat, 1x32x8x8 f32

// TRACE:      {"format": "smalti-plan-trace", "version": 3, "network": "main", "target": "default-8c", "cores": 8, "plans": [], "layers": [
// TRACE-NEXT: {"name": "a", "op": "tpu.conv2d", "nodes": ["Conv_a"], "shape": [1, 16, 8, 8], "storage": "f32", "split": {"decided_by": "search", "possible": {{[0-9]+}}, "candidates": [{"cores": [0{{.*}}
// TRACE-NEXT: {"name": "b"
// TRACE-NEXT: {"name": "c"
// TRACE-NEXT: {"name": "y"
// TRACE-NEXT: ]}

// COMPILE: a: tpu.conv2d
// COMPILE: y: tpu.conv2d
// COMPILE: output: in global memory: it is an output of the network

// ABSENT: --explain-plan: error: no layer, and no ONNX node of one, has the name 'Conv_b' or matches it
// ABSENT: hint: did you mean Conv_y or Conv_a?

// NOPLAN: error: pass 'tile-plan' does not run, so that there are no decisions to show
// NOPLAN: hint: leave --explain-plan and --plan-trace out

// INPUT: error: the output would replace the input
