// RUN: smalti-opt %s -p "canonicalize" | filecheck %s

// Ops that nothing uses go, with what only they used; so do buffers that nothing touches.

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %w = top.weight "w" seed = 1 : tensor<4xf32>
  %dead = top.add "dead" %x, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %y = top.relu "y" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

tile.program @tiles {
  %unused = tile.alloc core 0 : memref<1x16xi8, "local">
  %used = tile.alloc core 0 : memref<1x32xi8, "local">
  tile.fill core 0 -> %used value = 0.0 : memref<1x32xi8, "local">
}

// CHECK:      func.func @main(%x
// CHECK-NEXT:   %y = top.relu "y" %x
// CHECK-NEXT:   func.return %y
// CHECK:      tile.program @tiles {
// CHECK-NEXT:   %used = tile.alloc core 0 : memref<1x32xi8, "local">
// CHECK-NEXT:   tile.fill core 0
