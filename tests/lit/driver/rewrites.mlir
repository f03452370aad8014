// RUN: smalti-opt %s --top-fold-shapes --log-rewrites=%t.json -o /dev/null && cat %t.json | filecheck %s
// RUN: smalti-opt %s --top-fold-shapes --mlir-debug-counter=rewrite-count=1 | filecheck %s --check-prefix ONE
// RUN: smalti-opt %s --top-fold-shapes --mlir-debug-counter=rewrite-count=0 | filecheck %s --check-prefix ZERO
// RUN: not smalti-opt %s --top-fold-shapes --mlir-debug-counter=all 2>&1 | filecheck %s --check-prefix WRONG

func.func @main(%x: tensor<2x8xf32>) -> tensor<4x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %a = top.reshape "a" %x : (tensor<2x8xf32>) -> tensor<16xf32> loc("R0")
  %b = top.reshape "b" %a : (tensor<16xf32>) -> tensor<8x2xf32> loc("R1")
  %c = top.reshape "c" %b : (tensor<8x2xf32>) -> tensor<4x4xf32>
  func.return %c : tensor<4x4xf32>
}

// CHECK:      {"number": 1, "pass": "top-fold-shapes", "pattern": "merge_reshapes",
// CHECK-SAME: "before": [{"op": "%a = top.reshape \"a\" %x : (tensor<2x8xf32>) -> tensor<16xf32>", "location": "loc(\"R0\")"},
// CHECK-SAME: {"op": "%b = top.reshape \"b\" %a
// CHECK-SAME: "after": [{"op": "%b = top.reshape \"b\" %x : (tensor<2x8xf32>) -> tensor<8x2xf32>", "location": "loc(fused[\"R0\", \"R1\"])"}]}
// CHECK-NEXT: {"number": 2, {{.*}}"op": "%c = top.reshape \"c\" %b {{.*}}rewrites.mlir\":9:3)"}]

// ONE:      %b = top.reshape "b" %x
// ONE-NEXT: %c = top.reshape "c" %b

// ZERO:      %a = top.reshape "a" %x
// ZERO-NEXT: %b = top.reshape "b" %a
// ZERO-NEXT: %c = top.reshape "c" %b

// WRONG: error: argument --mlir-debug-counter: 'all' is not rewrite-count=N
