// RUN: smalti-opt %s --split-input-file --verify-diagnostics

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [64] order = [0] : memref<64xi8, "global">
  // expected-error @below {{'tile.view': the operand must be a buffer of a core, the result of a tile.alloc}}
  %v = tile.view %x : memref<64xi8, "global"> -> memref<32xi8, "global">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %v = tile.view %a offset = 16 : memref<64xi8, "local"> -> memref<48xi8, "local">
  // expected-error @below {{'tile.view': the operand is a view itself: view its buffer, and add the offset of that view}}
  %w = tile.view %v offset = 16 : memref<48xi8, "local"> -> memref<16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi8, "local">
  // expected-error @below {{'tile.view': result is stored as u8, its buffer holds i8}}
  %v = tile.view %a : memref<64xi8, "local"> -> memref<64xui8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi32, "acc">
  // expected-error @below {{'tile.view': result is in memory space "local", its buffer is in "acc"}}
  %v = tile.view %a : memref<64xi32, "acc"> -> memref<64xi32, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi8, "local">
  // expected-error @below {{'tile.view': elements 48 to 79 reach 16 past the end of the buffer, which has 64}}
  %v = tile.view %a offset = 48 : memref<64xi8, "local"> -> memref<2x16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi8, "local">
  // expected-error @below {{'tile.view': offset must not be negative, got -16}}
  %v = tile.view %a offset = -16 : memref<64xi8, "local"> -> memref<16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi8, "local">
  // expected-error @below {{'tile.view': sizes of a buffer are positive, got memref<?xi8, "local">}}
  %v = tile.view %a : memref<64xi8, "local"> -> memref<?xi8, "local">
}

// -----

// A view is where its buffer is.

tile.program @main {
  %a = tile.alloc core 1 : memref<64xi8, "local">
  %v = tile.view %a : memref<64xi8, "local"> -> memref<16xi8, "local">
  // expected-error @below {{'tile.fill': a buffer of core 1 is used on core 0}}
  tile.fill core 0 -> %v value = 0.0 : memref<16xi8, "local">
}

// -----

// A copy stays inside the view, even if the buffer goes on.

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [64] order = [0] : memref<64xi8, "global">
  %a = tile.alloc core 0 : memref<64xi8, "local">
  %v = tile.view %a : memref<64xi8, "local"> -> memref<16xi8, "local">
  // expected-error @below {{'tile.copy': target box covers elements 0 to 31, the buffer has 16}}
  tile.copy core 0 %x -> %v source_strides = [1] target_strides = [1] sizes = [32] : memref<64xi8, "global"> -> memref<16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<64xi8, "local">
  // expected-error @below {{Expected '->' before the type of the result}}
  %v = tile.view %a : memref<64xi8, "local">, memref<16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<8x16xi8, "local">
  // expected-error @below {{'tile.view': a buffer has no layout map, got memref<4x8xi8, affine_map<(d0, d1) -> (d1, d0)>, "local">}}
  %v = tile.view %a : memref<8x16xi8, "local"> -> memref<4x8xi8, affine_map<(d0, d1) -> (d1, d0)>, "local">
}

// -----

// The offset is a field of the view, not of its type.

tile.program @main {
  %a = tile.alloc core 0 : memref<8x16xi8, "local">
  // expected-error @below {{'tile.view': a view has rows at a pitch, and 'offset' says where it begins, got memref<4x8xi8, strided<[16, 1], offset: 8>, "local">}}
  %v = tile.view %a : memref<8x16xi8, "local"> -> memref<4x8xi8, strided<[16, 1], offset: 8>, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<8x16xi8, "local">
  // expected-error @below {{'tile.view': the rows of a view begin every so many elements, more than they have, expected strided<[32, 16, 1]>, got memref<2x2x8xi8, strided<[64, 16, 1]>, "local">}}
  %v = tile.view %a : memref<8x16xi8, "local"> -> memref<2x2x8xi8, strided<[64, 16, 1]>, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<8x16xi8, "local">
  // expected-error @below {{'tile.view': the rows of a view begin every so many elements, more than they have, expected strided<[9, 1]>, got memref<4x8xi8, strided<[8, 1]>, "local">}}
  %v = tile.view %a : memref<8x16xi8, "local"> -> memref<4x8xi8, strided<[8, 1]>, "local">
}

// -----

// Gaps count, but not after the last row.

tile.program @main {
  %a = tile.alloc core 0 : memref<8x16xi8, "local">
  %w = tile.view %a offset = 8 : memref<8x16xi8, "local"> -> memref<8x8xi8, strided<[16, 1]>, "local">
  // expected-error @below {{'tile.view': elements 26 to 129 reach 2 past the end of the buffer, which has 128}}
  %v = tile.view %a offset = 26 : memref<8x16xi8, "local"> -> memref<7x8xi8, strided<[16, 1]>, "local">
}

// -----

// Only some operands may have gaps.

tile.program @main {
  %a = tile.alloc core 0 : memref<8x16xi8, "local">
  %v = tile.view %a : memref<8x16xi8, "local"> -> memref<8x8xi8, strided<[16, 1]>, "local">
  // expected-error @below {{'tile.fill': target must be dense, is a view with rows at a pitch of 16}}
  tile.fill core 0 -> %v value = 0.0 : memref<8x8xi8, strided<[16, 1]>, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<8x16xi8, "local">
  %v = tile.view %a : memref<8x16xi8, "local"> -> memref<8x8xi8, strided<[16, 1]>, "local">
  // expected-error @below {{'tile.convert': columns must be in 1 to 8, the row length of x, got 9}}
  tile.convert core 0 %v -> %a columns = 9 multiplier = 1073741824 shift = 30 : memref<8x8xi8, strided<[16, 1]>, "local"> -> memref<8x16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<8x16xi8, "local">
  %o = tile.alloc core 0 : memref<1x1x2x16xi8, "local">
  %v = tile.view %a : memref<8x16xi8, "local"> -> memref<1x2x4x8xi8, strided<[128, 64, 16, 1]>, "local">
  // expected-error @below {{'tile.pool': columns must be in 1 to 8, the row length of x, got 16}}
  tile.pool core 0 %v -> %o kind = "max" kernel = [2, 2] strides = [2, 2] columns = 16 : memref<1x2x4x8xi8, strided<[128, 64, 16, 1]>, "local"> -> memref<1x1x2x16xi8, "local">
}
