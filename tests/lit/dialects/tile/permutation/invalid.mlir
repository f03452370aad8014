// RUN: smalti-opt %s --verify-diagnostics --split-input-file

tile.program @main {
  %x = tile.alloc core 0 : memref<3x16xi64, "local">
  %y = tile.alloc core 0 : memref<16x3xi64, "local">
  // expected-error @below {{'tile.permute': x must be stored as i8 or u8 or i16 or u16 or i32 or u32 or f16 or bf16 or f32 or bool or f8E4M3FN or f8E4M3FNUZ or f8E5M2 or f8E5M2FNUZ or f8E8M0FNU or f6E2M3FN or f6E3M2FN or f4E2M1FN or i4 or u4 or i2 or u2, is i64}}
  tile.permute core 0 %x -> %y sizes = [1, 3, 16] : memref<3x16xi64, "local"> -> memref<16x3xi64, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<3x16xi8, "local">
  %y = tile.alloc core 0 : memref<16x3xui8, "local">
  // expected-error @below {{'tile.permute': out must be stored as i8, is u8}}
  tile.permute core 0 %x -> %y sizes = [1, 3, 16] : memref<3x16xi8, "local"> -> memref<16x3xui8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<3x16xi8, "local">
  %y = tile.alloc core 0 : memref<16x2xi8, "local">
  // expected-error @below {{'tile.permute': out has 32 elements, expected 16 equal rows of at least 3}}
  tile.permute core 0 %x -> %y sizes = [1, 3, 16] : memref<3x16xi8, "local"> -> memref<16x2xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<3x16xi8, "local">
  %y = tile.alloc core 0 : memref<16x4xi8, "local">
  // expected-error @below {{'tile.permute': x has 48 elements, expected 3 equal rows of at least 17}}
  tile.permute core 0 %x -> %y sizes = [1, 3, 17] : memref<3x16xi8, "local"> -> memref<16x4xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<3x16xi8, "local">
  %y = tile.alloc core 0 : memref<16x4xi8, "local">
  // expected-error @below {{'tile.permute': zero point 200 is outside the range of i8, -128 to 127}}
  tile.permute core 0 %x -> %y sizes = [1, 3, 16] zero_point = 200 : memref<3x16xi8, "local"> -> memref<16x4xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<3x16xi8, "local">
  %y = tile.alloc core 0 : memref<16x4xi8, "local">
  // expected-error @below {{'tile.permute': sizes must be at least 1, got [0, 3, 16]}}
  tile.permute core 0 %x -> %y sizes = [0, 3, 16] : memref<3x16xi8, "local"> -> memref<16x4xi8, "local">
}
