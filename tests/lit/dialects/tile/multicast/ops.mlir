// RUN: smalti-opt %s | smalti-opt | filecheck %s

// Copies of a group stand side by side, declarations aside; a piece of a program may have some of them only.
tile.program @main {
  %w = tile.global "w" segment = "weights" seed = 1 shape = [64] order = [0] : memref<64xi8, "global">
  %a = tile.alloc core 0 : memref<64xi8, "local">
  tile.copy core 0 %w -> %a source_strides = [1] target_strides = [1] sizes = [64] group = 2 : memref<64xi8, "global"> -> memref<64xi8, "local">
  %b = tile.alloc core 3 : memref<64xi8, "local">
  tile.copy core 3 %w -> %b source_strides = [1] target_strides = [1] sizes = [64] group = 2 : memref<64xi8, "global"> -> memref<64xi8, "local">
  tile.copy core 0 %w -> %a source_strides = [1] target_strides = [1] sizes = [64] group = 1 : memref<64xi8, "global"> -> memref<64xi8, "local">
  // A core sends its bytes to others, and to another part of its own memory.
  tile.copy core 3 %b -> %b source_strides = [1] target_offset = 32 target_strides = [1] sizes = [32] group = 3 : memref<64xi8, "local"> -> memref<64xi8, "local">
  tile.copy core 3 %b -> %a source_strides = [1] target_strides = [1] sizes = [32] group = 3 : memref<64xi8, "local"> -> memref<64xi8, "local">
}

// CHECK: tile.copy core 0 {{.*}} group = 2 :
// CHECK: tile.copy core 3 {{.*}} group = 2 :
// CHECK: tile.copy core 0 {{.*}} group = 1 :
// CHECK: tile.copy core 3 %b -> %b {{.*}} group = 3 :
// CHECK: tile.copy core 3 %b -> %a {{.*}} group = 3 :
