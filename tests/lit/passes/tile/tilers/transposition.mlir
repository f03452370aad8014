// RUN: smalti-opt %s --split-input-file -p "convert-tpu-to-tile,tile-cut-to-local-memory" | filecheck %s

// Where the contiguous axes of two layouts differ, a tile moves in whole runs and is transposed in local memory, as the
// narrower type: i8 after the first cast, and before the last one.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x24x4x5xf32>) -> tensor<1x24x4x5xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
    %q = tpu.cast "q" %x : (tensor<1x24x4x5xf32>) -> tensor<1x24x4x5x!quant.uniform<i8:f32, 0.05:-1>>
    %p = tpu.max_pool "p" %q kernel = [3, 3] strides = [1, 1] pads = [1, 1, 1, 1] : (tensor<1x24x4x5x!quant.uniform<i8:f32, 0.05:-1>>) -> tensor<1x24x4x5x!quant.uniform<i8:f32, 0.05:-1>>
    %y = tpu.cast "y" %p : (tensor<1x24x4x5x!quant.uniform<i8:f32, 0.05:-1>>) -> tensor<1x24x4x5xf32>
    func.return %y : tensor<1x24x4x5xf32>
  }
}

// CHECK:      tile.copy core 0 %x -> %x_tile source_strides = [1] target_strides = [1] sizes = [480] origin = "q"
// CHECK-NEXT: [[D:%out_[0-9]+]] = tile.alloc core 0 : memref<1x24x4x5xi8, "local">
// CHECK-NEXT: tile.convert core 0 %x_tile -> [[D]] columns = 5
// CHECK-NEXT: [[T:%transposed[_0-9]*]] = tile.alloc core 0 : memref<1x4x5x32xi8, "local">
// CHECK-NEXT: tile.permute core 0 [[D]] -> [[T]] sizes = [1, 24, 20] zero_point = -1 origin = "q"
// CHECK-NEXT: tile.copy core 0 [[T]] -> %q source_strides = [1] target_strides = [1] sizes = [640] origin = "q"

// CHECK:      tile.copy core 0 %p -> %p_tile source_strides = [1] target_strides = [1] sizes = [640] origin = "y"
// CHECK-NEXT: [[T:%transposed[_0-9]*]] = tile.alloc core 0 : memref<1x24x4x5xi8, "local">
// CHECK-NEXT: tile.permute core 0 %p_tile -> [[T]] sizes = [1, 20, 24] zero_point = -1 origin = "y"
// CHECK-NEXT: [[Y:%out_[0-9]+]] = tile.alloc core 0 : memref<1x24x4x5xf32, "local">
// CHECK-NEXT: tile.convert core 0 [[T]] -> [[Y]] columns = 5
// CHECK-NEXT: tile.copy core 0 [[Y]] -> %out source_strides = [1] target_strides = [1] sizes = [480] origin = "y"

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<2x3x40xf32>, %z: tensor<40x24xi64>) -> (tensor<3x40x2xf32>, tensor<24x40xi64>) attributes {smalti.inputs = ["x", "z"], smalti.outputs = ["out", "wide"]} {
    %t = tpu.transpose "t" %x permutation = [1, 2, 0] : (tensor<2x3x40xf32>) -> tensor<3x40x2xf32>
    %w = tpu.transpose "w" %z permutation = [1, 0] : (tensor<40x24xi64>) -> tensor<24x40xi64>
    func.return %t, %w : tensor<3x40x2xf32>, tensor<24x40xi64>
  }
}

// CHECK:      tile.copy core 0 %x -> [[X:%tile[_0-9]*]] source_strides = [1] target_strides = [1] sizes = [240] origin = "t"
// CHECK-NEXT: [[T:%tile[_0-9]*]] = tile.alloc core 0 : memref<3x40x2xf32, "local">
// CHECK-NEXT: tile.permute core 0 [[X]] -> [[T]] sizes = [1, 2, 120] origin = "t"
// CHECK-NEXT: tile.copy core 0 [[T]] -> %out source_strides = [1] target_strides = [1] sizes = [240] origin = "t"

// Elements of eight bytes cannot be transposed: they are gathered.
// CHECK:      tile.copy core 0 %z -> [[Z:%tile[_0-9]*]] source_strides = [1, 24, 1] target_strides = [40, 1, 1] sizes = [12, 40, 1] origin = "w"
// CHECK-NEXT: tile.copy core 0 [[Z]] -> %wide source_strides = [1] target_strides = [1] sizes = [480] origin = "w"
