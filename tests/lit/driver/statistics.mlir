// RUN: smalti-opt %s --cse --canonicalize --mlir-pass-statistics -o /dev/null 2>&1 | filecheck %s

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32>
  %c = top.add "c" %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}

// CHECK:      ... Pass statistics report ...
// CHECK:      'builtin.module' Pipeline
// CHECK-NEXT:   cse
// CHECK-NEXT:     (S) 1 merged - {{.+}}
// CHECK-NEXT:   canonicalize
// CHECK-NEXT:     (S) 0 canonicalize_op - {{.+}}
