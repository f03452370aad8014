// RUN: smalti-opt %s --cse --mlir-timing -o /dev/null 2>&1 | filecheck %s
// RUN: smalti-opt %s --cse --mlir-timing --mlir-output-format=json -o /dev/null 2>&1 | filecheck %s --check-prefix JSON
// RUN: smalti-opt %s --cse --mlir-timing --mlir-timing-display=list -o /dev/null 2>&1 | filecheck %s --check-prefix LIST
// RUN: smalti-opt %s --cse --mlir-timing --mlir-timing-display=list --mlir-output-format=json -o /dev/null 2>&1 | filecheck %s --check-prefix FLAT

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32>
  %c = top.add "c" %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}

// CHECK:      ===-------------------------------------------------------------------------===
// CHECK-NEXT: ... Execution time report ...
// CHECK:      Total Execution Time: {{[0-9.]+}} seconds
// CHECK:      ----User+Sys----  ----Wall Time----  ----Name----
// CHECK-NEXT: {{ +[0-9.]+ \( *[0-9.]+%\) +[0-9.]+ \( *[0-9.]+%\)}}  Parser
// CHECK-NEXT: {{.*}}  Pipeline
// CHECK-NEXT: {{.*}}    (verify)
// CHECK-NEXT: {{.*}}    cse
// CHECK-NEXT: {{.*}}      (verify)
// CHECK-NEXT: {{.*}}  Output
// CHECK-NEXT: {{.*}}(100.0%)  Total

// JSON:      "name": "Total",
// JSON-NEXT: "wall_seconds": {{[0-9.e-]+}},
// JSON-NEXT: "cpu_seconds": {{[0-9.e-]+}},
// JSON-NEXT: "count": 1,
// JSON:      "name": "Parser",

// All steps side by side; which one is longest depends on the machine.
// LIST:     Execution time report
// LIST:     ----Name----
// LIST-DAG: {{%\)  Parser$}}
// LIST-DAG: {{%\)  cse$}}
// LIST-DAG: {{%\)  \(verify\)$}}
// LIST-DAG: {{%\)  Output$}}
// LIST:     (100.0%)  Total

// FLAT-DAG: "name": "cse",
// FLAT-DAG: "name": "(verify)",
