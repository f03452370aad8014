// A pass that builds new IR has a line for each node whose ops are others than before.
// RUN: smalti-opt %s -p "convert-top-to-tpu{quantize=f32},cse" --log-rewrites=%t.jsonl -o /dev/null && cat %t.jsonl | filecheck %s

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["b"]} {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32> loc("first")
  %b = top.add "b" %a, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("second")
  func.return %b : tensor<4xf32>
}

// CHECK:      {"number": 1, "pass": "convert-top-to-tpu", "pattern": null, "before": [{"op": "{{.*}}top.relu{{.*}}", "location": "loc(\"first\")"}], "after": [{"op": "{{.*}}tpu.clamp{{.*}}", "location": "loc(\"first\")"}]}
// CHECK-NEXT: {"number": 2, "pass": "convert-top-to-tpu", "pattern": null, "before": [{"op": "{{.*}}top.add{{.*}}"{{.*}}"after": [{"op": "{{.*}}tpu.add{{.*}}
// CHECK-NOT:  "pass": "cse"
