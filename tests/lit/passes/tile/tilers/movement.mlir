// RUN: smalti-opt %s --split-input-file -p "convert-tpu-to-tile,tile-cut-to-local-memory" --weights-out %t.safetensors | filecheck %s

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x24x2x4xf32>) -> tensor<1x60x1x6xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
    %a = tpu.max_pool "a" %x kernel = [1, 1] : (tensor<1x24x2x4xf32>) -> tensor<1x24x2x4xf32>
    %b = tpu.max_pool "b" %x kernel = [1, 1] : (tensor<1x24x2x4xf32>) -> tensor<1x24x2x4xf32>
    %c = tpu.concat "c" %a, %b axis = 1 : (tensor<1x24x2x4xf32>, tensor<1x24x2x4xf32>) -> tensor<1x48x2x4xf32>
    %s = tpu.slice "s" %c starts = [0, 0, 1, 0] sizes = [1, 48, 1, 2] steps = [1, 1, 1, 2] : (tensor<1x48x2x4xf32>) -> tensor<1x48x1x2xf32>
    %p = tpu.pad "p" %s low = [0, 12, 0, 2] high = [0, 0, 0, 2] value = 1.0 : (tensor<1x48x1x2xf32>) -> tensor<1x60x1x6xf32>
    func.return %p : tensor<1x60x1x6xf32>
  }
}

// A concatenation is put together in local memory, and stored as one. Pixels of a and b have 32 lanes, c's 48.
// CHECK:      [[C:%out_[0-9]+]] = tile.alloc core 0 : memref<1x2x4x48xf32, "local">
// CHECK-NEXT: tile.copy core 0 %a -> [[C]] source_strides = [32, 1] target_strides = [48, 1] sizes = [8, 24] origin = "c"
// CHECK-NEXT: tile.copy core 0 %b -> [[C]] source_strides = [32, 1] target_offset = 24 target_strides = [48, 1] sizes = [8, 24] origin = "c"
// CHECK-NEXT: tile.copy core 0 [[C]] -> %c source_strides = [1] target_strides = [1] sizes = [384] origin = "c"

// A slice reads every second pixel of the second row.
// CHECK:      tile.copy core 0 %c -> [[S:%out_[0-9]+]] source_offset = 192 source_strides = [96, 1] target_strides = [48, 1] sizes = [2, 48] origin = "s"
// CHECK-NEXT: tile.copy core 0 [[S]] -> %s

// A padding is filled before the input is laid into it.
// CHECK:      [[P:%out_[0-9]+]] = tile.alloc core 0 :
// CHECK-NEXT: tile.fill core 0 -> [[P]] value = 1.0 origin = "p"
// CHECK-NEXT: tile.copy core 0 %s -> [[P]]
// CHECK:      tile.copy core 0 [[P]] -> %out
// CHECK-NOT:  tile.layer

// -----

// Zeros behind the channels are written along with the lanes.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x20x2x4xf32>) -> tensor<1x24x2x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
    %a = tpu.max_pool "a" %x kernel = [1, 1] : (tensor<1x20x2x4xf32>) -> tensor<1x20x2x4xf32>
    %p = tpu.pad "p" %a low = [0, 0, 0, 0] high = [0, 4, 0, 0] : (tensor<1x20x2x4xf32>) -> tensor<1x24x2x4xf32>
    %b = tpu.max_pool "b" %p kernel = [1, 1] : (tensor<1x24x2x4xf32>) -> tensor<1x24x2x4xf32>
    func.return %b : tensor<1x24x2x4xf32>
  }
}

// CHECK-LABEL: tile.global "x" segment = "input" shape = [1, 20, 2, 4]
// CHECK-NOT:   tile.fill
// CHECK:       tile.copy core 0 %a -> [[T:%out_[0-9]+]] source_strides = [32, 1] target_strides = [32, 1] sizes = [8, 20] pad = 12 pad_value = 0 origin = "p"
// CHECK-NEXT:  tile.copy core 0 [[T]] -> %p source_strides = [1] target_strides = [1] sizes = [256] origin = "p"
