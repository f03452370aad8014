// RUN: smalti-opt %s --allow-unregistered-dialect --mlir-print-value-users | filecheck %s --check-prefix USERS
// RUN: smalti-opt %s --allow-unregistered-dialect --mlir-print-value-users | smalti-opt --allow-unregistered-dialect | filecheck %s --check-prefix AGAIN
// RUN: smalti-opt %s --allow-unregistered-dialect --mlir-print-unique-ssa-ids | filecheck %s --check-prefix UNIQUE
// RUN: smalti-opt %s --allow-unregistered-dialect --mlir-print-debuginfo --mlir-pretty-debuginfo | filecheck %s --check-prefix PRETTY
// RUN: smalti-opt %s --allow-unregistered-dialect --verify-each --color --mlir-disable-threading=true | filecheck %s --check-prefix AGAIN

func.func @first(%x: tensor<4xf32>, %y: i32) -> tensor<4xf32> {
  %a, %b = "net.two"(%x) : (tensor<4xf32>) -> (tensor<4xf32>, f32) loc("A")
  %c = "net.one"(%a, %a) ({
  ^bb0(%q: i32):
    %d = "net.inner"(%q) : (i32) -> i32
  }) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc(fused["B", callsite("f" at "b.py":1:2)])
  func.return %c : tensor<4xf32>
}
func.func @second(%x: f32) -> f32 {
  func.return %x : f32
}

// USERS:      func.func @first(%x: tensor<4xf32>, %y: i32)
// USERS-NEXT:   // %x is used by %a, %b
// USERS-NEXT:   // %y is unused
// USERS-NEXT:   %a, %b = "net.two"(%x) : {{.*}}  // users: (%c), (unused)
// USERS-NEXT:   %c = "net.one"(%a, %a) ({
// USERS-NEXT:   ^bb0(%q: i32):
// USERS-NEXT:     // %q is used by %d
// USERS-NEXT:     %d = "net.inner"(%q) : (i32) -> i32  // unused
// USERS-NEXT:   }) : {{.*}}  // user: %0
// USERS-NEXT:   func.return %c : tensor<4xf32>  // id: %0
// USERS:        // %x is used by %1
// USERS-NEXT:   func.return %x : f32  // id: %1

// AGAIN-NOT:  //
// AGAIN:      func.func @second(%x: f32) -> f32 {

// UNIQUE:     func.func @first(%x: tensor<4xf32>
// UNIQUE:     func.func @second(%x_1: f32) -> f32 {
// UNIQUE-NEXT: func.return %x_1 : f32

// PRETTY:      func.func @first(%x: tensor<4xf32> [unknown], %y: i32 [unknown])
// PRETTY-NEXT: "net.two"(%x) : {{.*}} "A"
// PRETTY:      "net.inner"(%q) : (i32) -> i32 {{.*}}value_names.mlir:11:5
// PRETTY-NEXT: }) : {{.*}} ["B", "f" at b.py:1:2]
