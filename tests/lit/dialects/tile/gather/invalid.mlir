// RUN: smalti-opt %s --split-input-file --verify-diagnostics

tile.program @table {
  %t = tile.global "t" segment = "input" shape = [50, 8] order = [0, 1] : memref<50x8xf32, "global">
  %i = tile.global "i" segment = "input" shape = [4] order = [0] : memref<4xi64, "global">
  %u = tile.alloc core 0 : memref<50x8xf32, "local">
  %a = tile.alloc core 0 : memref<4x8xf32, "local">
  // expected-error @below {{table must be in memory space "global", is in "local"}}
  tile.gather core 0 %u, %i -> %a rows = 50 : memref<50x8xf32, "local">, memref<4xi64, "global"> -> memref<4x8xf32, "local">
}

// -----

tile.program @index {
  %t = tile.global "t" segment = "input" shape = [50, 8] order = [0, 1] : memref<50x8xf32, "global">
  %i = tile.global "i" segment = "input" shape = [4] order = [0] : memref<4xi64, "global">
  %u = tile.alloc core 0 : memref<4xi32, "acc">
  %a = tile.alloc core 0 : memref<4x8xf32, "local">
  // expected-error @below {{index must be in memory space "local" or "global", is in "acc"}}
  tile.gather core 0 %t, %u -> %a rows = 50 : memref<50x8xf32, "global">, memref<4xi32, "acc"> -> memref<4x8xf32, "local">
}

// -----

tile.program @out {
  %t = tile.global "t" segment = "input" shape = [50, 8] order = [0, 1] : memref<50x8xf32, "global">
  %i = tile.global "i" segment = "input" shape = [4] order = [0] : memref<4xi64, "global">
  %a = tile.global "a" segment = "output" shape = [4, 8] order = [0, 1] : memref<4x8xf32, "global">
  // expected-error @below {{out must be in memory space "local", is in "global"}}
  tile.gather core 0 %t, %i -> %a rows = 50 : memref<50x8xf32, "global">, memref<4xi64, "global"> -> memref<4x8xf32, "global">
}

// -----

tile.program @index_type {
  %t = tile.global "t" segment = "input" shape = [50, 8] order = [0, 1] : memref<50x8xf32, "global">
  %i = tile.global "i" segment = "input" shape = [4] order = [0] : memref<4xi64, "global">
  %u = tile.alloc core 0 : memref<4xi8, "local">
  %a = tile.alloc core 0 : memref<4x8xf32, "local">
  // expected-error @below {{index must be stored as i32 or i64, is i8}}
  tile.gather core 0 %t, %u -> %a rows = 50 : memref<50x8xf32, "global">, memref<4xi8, "local"> -> memref<4x8xf32, "local">
}

// -----

tile.program @out_type {
  %t = tile.global "t" segment = "input" shape = [50, 8] order = [0, 1] : memref<50x8xf32, "global">
  %i = tile.global "i" segment = "input" shape = [4] order = [0] : memref<4xi64, "global">
  %a = tile.alloc core 0 : memref<4x8xf16, "local">
  // expected-error @below {{out must be stored as f32, is f16}}
  tile.gather core 0 %t, %i -> %a rows = 50 : memref<50x8xf32, "global">, memref<4xi64, "global"> -> memref<4x8xf16, "local">
}

// -----

tile.program @no_rows {
  %t = tile.global "t" segment = "input" shape = [50, 8] order = [0, 1] : memref<50x8xf32, "global">
  %i = tile.global "i" segment = "input" shape = [4] order = [0] : memref<4xi64, "global">
  %a = tile.alloc core 0 : memref<4x8xf32, "local">
  // expected-error @below {{table must have at least one row, got 0}}
  tile.gather core 0 %t, %i -> %a rows = 0 : memref<50x8xf32, "global">, memref<4xi64, "global"> -> memref<4x8xf32, "local">
}

// -----

tile.program @uneven {
  %t = tile.global "t" segment = "input" shape = [50, 8] order = [0, 1] : memref<50x8xf32, "global">
  %i = tile.global "i" segment = "input" shape = [4] order = [0] : memref<4xi64, "global">
  %a = tile.alloc core 0 : memref<4x8xf32, "local">
  // expected-error @below {{table has 400 elements, expected 3 equal rows of at least 1}}
  tile.gather core 0 %t, %i -> %a rows = 3 : memref<50x8xf32, "global">, memref<4xi64, "global"> -> memref<4x8xf32, "local">
}

// -----

tile.program @uneven_out {
  %t = tile.global "t" segment = "input" shape = [50, 8] order = [0, 1] : memref<50x8xf32, "global">
  %i = tile.global "i" segment = "input" shape = [4] order = [0] : memref<4xi64, "global">
  %a = tile.alloc core 0 : memref<10xf32, "local">
  // expected-error @below {{out has 10 elements, expected 4 equal rows of at least 1}}
  tile.gather core 0 %t, %i -> %a rows = 50 : memref<50x8xf32, "global">, memref<4xi64, "global"> -> memref<10xf32, "local">
}

// -----

tile.program @beyond {
  %t = tile.global "t" segment = "input" shape = [50, 8] order = [0, 1] : memref<50x8xf32, "global">
  %i = tile.global "i" segment = "input" shape = [4] order = [0] : memref<4xi64, "global">
  %a = tile.alloc core 0 : memref<4x8xf32, "local">
  // expected-error @below {{elements 4 to 12 of each row are copied, rows of table have 8}}
  tile.gather core 0 %t, %i -> %a rows = 50 first = 4 : memref<50x8xf32, "global">, memref<4xi64, "global"> -> memref<4x8xf32, "local">
}
