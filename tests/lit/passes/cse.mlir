// RUN: smalti-opt %s -p "cse" | filecheck %s

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32>
  %c = top.add "c" %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}

// CHECK:      %a = top.relu "a" %x
// CHECK-NEXT: %c = top.add "c" %a, %a
// CHECK-NEXT: func.return %c
