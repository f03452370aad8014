// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | filecheck %s --check-prefix GENERIC

// Views are parts of a core's buffer with shapes of their own; they may overlap.

tile.program @main {
  %slab = tile.alloc core 3 address = 64 : memref<1x8x4x16xi8, "local">
  %low = tile.view %slab : memref<1x8x4x16xi8, "local"> -> memref<1x4x4x16xi8, "local">
  %high = tile.view %slab offset = 256 : memref<1x8x4x16xi8, "local"> -> memref<16x16xi8, "local"> loc("node")
  tile.fill core 3 -> %low value = 1.0 : memref<1x4x4x16xi8, "local">
  tile.fill core 3 -> %high value = 2.0 : memref<16x16xi8, "local">
  %acc = tile.alloc core 3 : memref<2x3x16xi32, "acc">
  %sums = tile.view %acc offset = 48 : memref<2x3x16xi32, "acc"> -> memref<1x3x16xi32, "acc">
  %middle = tile.view %slab offset = 192 : memref<1x8x4x16xi8, "local"> -> memref<1x2x4x16xi8, "local">
  tile.convert core 3 %middle -> %middle columns = 16 multiplier = 1073741824 shift = 30 : memref<1x2x4x16xi8, "local"> -> memref<1x2x4x16xi8, "local">
  // Rows at a pitch: channels 4 to 10 of two rows of the image.
  %columns = tile.view %slab offset = 132 : memref<1x8x4x16xi8, "local"> -> memref<1x2x4x6xi8, strided<[128, 64, 16, 1]>, "local">
  tile.convert core 3 %columns -> %columns columns = 5 multiplier = 1073741824 shift = 30 : memref<1x2x4x6xi8, strided<[128, 64, 16, 1]>, "local"> -> memref<1x2x4x6xi8, strided<[128, 64, 16, 1]>, "local">
  %part = tile.view %slab offset = 262 : memref<1x8x4x16xi8, "local"> -> memref<1x1x2x10xi8, strided<[32, 32, 16, 1]>, "local">
  tile.pool core 3 %columns -> %part kind = "max" kernel = [2, 2] strides = [2, 2] columns = 6 : memref<1x2x4x6xi8, strided<[128, 64, 16, 1]>, "local"> -> memref<1x1x2x10xi8, strided<[32, 32, 16, 1]>, "local">
  %most = tile.alloc core 3 : memref<1x16xi8, "local">
  tile.reduce core 3 %columns -> %most kind = "max" sizes = [1, 4, 6] strides = [64, 16] : memref<1x2x4x6xi8, strided<[128, 64, 16, 1]>, "local"> -> memref<1x16xi8, "local">
}

// CHECK:      %slab = tile.alloc core 3 address = 64 : memref<1x8x4x16xi8, "local">
// CHECK-NEXT: %low = tile.view %slab : memref<1x8x4x16xi8, "local"> -> memref<1x4x4x16xi8, "local">
// CHECK-NEXT: %high = tile.view %slab offset = 256 : memref<1x8x4x16xi8, "local"> -> memref<16x16xi8, "local">
// CHECK-NEXT: tile.fill core 3 -> %low value = 1.0 : memref<1x4x4x16xi8, "local">
// CHECK-NEXT: tile.fill core 3 -> %high value = 2.0 : memref<16x16xi8, "local">
// CHECK-NEXT: %acc = tile.alloc core 3 : memref<2x3x16xi32, "acc">
// CHECK-NEXT: %sums = tile.view %acc offset = 48 : memref<2x3x16xi32, "acc"> -> memref<1x3x16xi32, "acc">
// CHECK-NEXT: %middle = tile.view %slab offset = 192 : memref<1x8x4x16xi8, "local"> -> memref<1x2x4x16xi8, "local">
// CHECK-NEXT: tile.convert core 3 %middle -> %middle columns = 16 
// CHECK-NEXT: %columns = tile.view %slab offset = 132 : memref<1x8x4x16xi8, "local"> -> memref<1x2x4x6xi8, strided<[128, 64, 16, 1]>, "local">
// CHECK-NEXT: tile.convert core 3 %columns -> %columns columns = 5 multiplier = 1073741824 shift = 30 : memref<1x2x4x6xi8, strided<[128, 64, 16, 1]>, "local"> -> memref<1x2x4x6xi8, strided<[128, 64, 16, 1]>, "local">
// CHECK-NEXT: %part = tile.view %slab offset = 262 : memref<1x8x4x16xi8, "local"> -> memref<1x1x2x10xi8, strided<[32, 32, 16, 1]>, "local">
// CHECK-NEXT: tile.pool core 3 %columns -> %part kind = "max" kernel = [2, 2] strides = [2, 2] columns = 6 :
// CHECK-NEXT: %most = tile.alloc core 3 : memref<1x16xi8, "local">
// CHECK-NEXT: tile.reduce core 3 %columns -> %most kind = "max" sizes = [1, 4, 6] strides = [64, 16] : memref<1x2x4x6xi8, strided<[128, 64, 16, 1]>, "local"> -> memref<1x16xi8, "local">

// GENERIC: %low = "tile.view"(%slab) <{offset = 0 : i64}> : (memref<1x8x4x16xi8, "local">) -> memref<1x4x4x16xi8, "local">
// GENERIC: %high = "tile.view"(%slab) <{offset = 256 : i64}> : (memref<1x8x4x16xi8, "local">) -> memref<16x16xi8, "local">
// GENERIC: %columns = "tile.view"(%slab) <{offset = 132 : i64}> : (memref<1x8x4x16xi8, "local">) -> memref<1x2x4x6xi8, strided<[128, 64, 16, 1]>, "local">
