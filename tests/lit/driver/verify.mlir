// RUN: smalti-opt %s --verify-roundtrip | filecheck %s
// RUN: smalti-opt %s --cse --mlir-timing -o /dev/null 2>&1 | filecheck %s --check-prefix EACH
// RUN: smalti-opt %s --cse --mlir-timing --verify-each=false -o /dev/null 2>&1 | filecheck %s --check-prefix NOT-EACH
// RUN: not smalti-opt %S/Inputs/unregistered.mlir 2>&1 | filecheck %s --check-prefix UNREGISTERED
// RUN: smalti-opt %S/Inputs/unregistered.mlir --allow-unregistered-dialect --mlir-print-op-generic | filecheck %s --check-prefix ALLOWED

func.func @f(%x: tensor<4xf32>) {
  %w = top.weight "w" value = dense<[0.0, 0x7F800000]> : tensor<2xf32> : tensor<2xf32>
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32> loc(fused["A", "B"])
  func.return
}

// CHECK: top.relu "a"

// EACH:     cse
// EACH:     (verify)

// NOT-EACH-NOT: (verify)

// UNREGISTERED: unregistered.mlir:1:2: error: {{.*}}mine.op{{.*}}

// ALLOWED: "mine.op"() {x = 1 : i32} : () -> ()
