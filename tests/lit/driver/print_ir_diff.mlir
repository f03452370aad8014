// RUN: smalti-opt %s --canonicalize --cse --print-ir-diff -o /dev/null 2>&1 | filecheck %s

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32>
  %c = top.add "c" %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}

// CHECK:      pass canonicalize: no change
// CHECK-NEXT: --- before cse
// CHECK-NEXT: +++ after cse
// CHECK-NEXT: @@ {{.*}} @@
// CHECK:      {{^}}-    %b = top.relu "b" %x
// CHECK-NEXT: {{^}}-    %c = top.add "c" %a, %b
// CHECK-NEXT: {{^}}+    %c = top.add "c" %a, %a
