// RUN: smalti-opt %S/Inputs/mlir_debuginfo.mlir --mlir-print-debuginfo | filecheck %s
// RUN: not smalti-opt %S/Inputs/mlir_wrong_alias.mlir 2>&1 | filecheck %s --check-prefix WRONG

// What mlir-opt prints with --mlir-print-debuginfo: aliases of locations at the end, also of those used in them.

// CHECK:      func.func @f(%arg0: tensor<4xf32> loc("arg"("m.py":1:1)))
// CHECK-NEXT: loc(callsite("callee"("model.py":10:3) at "caller.py":3:4))
// CHECK-NEXT: loc(fused<"CSE">["model.py":10:3, "x.cpp":1:2, "n"])
// CHECK-NEXT: loc(fused<{a = 1 : i32}>["q", "r"])
// CHECK:      } loc("model.py":10:3)
// CHECK:      } loc("model.mlir":3:1)

// WRONG:      mlir_wrong_alias.mlir:5:22: error: there is no alias '#loc9'
// WRONG-NEXT: #loc1 = loc("x"(#loc9))
