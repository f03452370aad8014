// RUN: smalti-opt %s -p "tile-assign-addresses" | filecheck %s
// RUN: smalti-opt %s -p "tile-assign-addresses{slack=0}" | filecheck %s --check-prefix=TIGHT

// Weights lie side by side; %a is dead before %b is written (%m before %n), so without slack they share bytes.

builtin.module attributes {smalti.target = "edge-1c", smalti.target_hash = "sha256:f987424c11ff92f3"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [100] order = [0] : memref<100xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [100] order = [0] : memref<100xi8, "global">
    %v = tile.global "v" segment = "weights" seed = 2 shape = [100] order = [0] : memref<100xi8, "global">
    %m = tile.global "m" segment = "scratch" shape = [100] order = [0] : memref<100xi8, "global">
    %n = tile.global "n" segment = "scratch" shape = [100] order = [0] : memref<100xi8, "global">
    %y = tile.global "y" segment = "output" shape = [100] order = [0] : memref<100xi8, "global">
    %a = tile.alloc core 0 : memref<1x100xi8, "local">
    %b = tile.alloc core 0 : memref<1x100xi8, "local">
    %c = tile.alloc core 0 : memref<1x100xi8, "local">
    %unused = tile.alloc core 0 : memref<1x100xi8, "local">
    tile.copy core 0 %x -> %a source_strides = [1] target_strides = [1] sizes = [100] : memref<100xi8, "global"> -> memref<1x100xi8, "local">
    tile.copy core 0 %a -> %m source_strides = [1] target_strides = [1] sizes = [100] : memref<1x100xi8, "local"> -> memref<100xi8, "global">
    tile.copy core 0 %m -> %b source_strides = [1] target_strides = [1] sizes = [100] : memref<100xi8, "global"> -> memref<1x100xi8, "local">
    tile.copy core 0 %w -> %c source_strides = [1] target_strides = [1] sizes = [100] : memref<100xi8, "global"> -> memref<1x100xi8, "local">
    tile.copy core 0 %v -> %c source_strides = [1] target_strides = [1] sizes = [100] : memref<100xi8, "global"> -> memref<1x100xi8, "local">
    tile.copy core 0 %b -> %n source_strides = [1] target_strides = [1] sizes = [100] : memref<1x100xi8, "local"> -> memref<100xi8, "global">
    tile.copy core 0 %n -> %c source_strides = [1] target_strides = [1] sizes = [100] : memref<100xi8, "global"> -> memref<1x100xi8, "local">
    tile.copy core 0 %c -> %y source_strides = [1] target_strides = [1] sizes = [100] : memref<1x100xi8, "local"> -> memref<100xi8, "global">
  }
}

// CHECK:      %x = tile.global "x" segment = "input" {{.*}} address = 0 :
// CHECK-NEXT: %w = tile.global "w" segment = "weights" {{.*}} address = 0 :
// CHECK-NEXT: %v = tile.global "v" segment = "weights" {{.*}} address = 128 :
// CHECK-NEXT: %m = tile.global "m" segment = "scratch" {{.*}} address = 0 :
// CHECK-NEXT: %n = tile.global "n" segment = "scratch" {{.*}} address = 0 :
// CHECK-NEXT: %y = tile.global "y" segment = "output" {{.*}} address = 0 :
// CHECK-NEXT: %a = tile.alloc core 0 address = 0 :
// CHECK-NEXT: %b = tile.alloc core 0 address = 128 :
// CHECK-NEXT: %c = tile.alloc core 0 address = 256 :
// CHECK-NEXT: tile.copy core 0 %x -> %a

// TIGHT:      %a = tile.alloc core 0 address = 0 :
// TIGHT-NEXT: %b = tile.alloc core 0 address = 0 :
// TIGHT-NEXT: %c = tile.alloc core 0 address = 128 :
// TIGHT-NEXT: tile.copy core 0 %x -> %a
