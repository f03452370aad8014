// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-cut-to-local-memory" --weights-out %t.safetensors | filecheck %s
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-cut-to-local-memory" --weights-out %t.safetensors --mlir-print-debuginfo | filecheck %s --check-prefix LOC

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%image: tensor<1x3x8x8xf32>) -> tensor<1x24xf32> attributes {smalti.inputs = ["image"], smalti.outputs = ["out"]} {
    %q = tpu.cast "q" %image : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8x!quant.uniform<i8:f32, 0.05:-1>> loc("image")
    %w = tpu.weight "w" seed = 1 : tensor<24x3x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %c = tpu.conv2d "c" %q, %w strides = [2, 2] pads = [1, 1, 1, 1] accumulator = "i32" clamp_low = 0.0 : (tensor<1x3x8x8x!quant.uniform<i8:f32, 0.05:-1>>, tensor<24x3x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x24x4x4x!quant.uniform<i8:f32, 0.1:-128>> loc("Conv_0")
    %m = tpu.reduce "m" %c kind = "mean" axes = [2, 3] : (tensor<1x24x4x4x!quant.uniform<i8:f32, 0.1:-128>>) -> tensor<1x24x!quant.uniform<i8:f32, 0.1:-128>> loc("Mean_1")
    %y = tpu.cast "y" %m : (tensor<1x24x!quant.uniform<i8:f32, 0.1:-128>>) -> tensor<1x24xf32>
    func.return %y : tensor<1x24xf32>
  }
}

// Weights are packed and their logical form is gone; the table has the rows bias, multiplier, shift.
// CHECK-NOT:  "w" segment
// CHECK:      %w_packed = tile.global "w.packed" segment = "weights" key = "w.packed" shape = [1, 9, 3, 32]
// CHECK-NEXT: %c_table = tile.global "c.table" segment = "weights" key = "c.table" shape = [3, 32]

// The input comes in as rows, in one run; it becomes pixels in local memory, each filled up with the zero point.
// CHECK:      %image_tile = tile.alloc core 0 : memref<1x3x8x8xf32, "local">
// CHECK-NEXT: tile.copy core 0 %image -> %image_tile source_strides = [1] target_strides = [1] sizes = [192] origin = "q" :
// CHECK-NEXT: [[Q:%out_[0-9]+]] = tile.alloc core 0 : memref<1x3x8x8xi8, "local">
// CHECK-NEXT: tile.convert core 0 %image_tile -> [[Q]] columns = 8 scale = 0.05 zero_points = [0, -1] clamp = [-128.0, 127.0] origin = "q" :
// CHECK-NEXT: %transposed = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
// CHECK-NEXT: tile.permute core 0 [[Q]] -> %transposed sizes = [1, 3, 64] zero_point = -1 origin = "q" :
// CHECK-NEXT: tile.copy core 0 %transposed -> %q source_strides = [1] target_strides = [1] sizes = [1024] origin = "q" :

// The convolution's padding is virtual: it holds the input's zero point.
// CHECK:      tile.copy core 0 %w_packed -> [[W:%[a-z_0-9]+]] source_strides = [1] target_strides = [1] sizes = [864] origin = "c" :
// CHECK:      tile.copy core 0 %q -> [[X:%[a-z_0-9]+]] source_strides = [1] target_strides = [1] sizes = [1024] origin = "c" :
// CHECK-NEXT: %acc = tile.alloc core 0 : memref<1x4x4x32xi32, "acc">
// CHECK-NEXT: tile.conv2d core 0 [[X]], [[W]] -> %acc channels = [3, 24] kernel = [3, 3] strides = [2, 2] pads = [1, 1] pad_value = -1 origin = "c" :
// CHECK:      tile.copy core 0 %c_table -> [[T:%[a-z_0-9]+]] source_strides = [1] target_strides = [1] sizes = [96] origin = "c" :
// CHECK:      tile.epilogue core 0 %acc, [[T]] -> [[C:%out_[0-9]+]] channels = 24 zero_points = [0, -128] clamp = [-128.0, 127.0] origin = "c" :
// CHECK-NEXT: tile.copy core 0 [[C]] -> %c

// CHECK:      tile.reduce core 0 {{.*}} kind = "mean" sizes = [1, 16, 32] strides = [512, 32]
// CHECK:      tile.convert core 0 {{.*}} columns = 24 scale = 0.1 zero_points = [-128, 0] origin = "y" :
// CHECK-NEXT: tile.copy core 0 {{.*}} -> %out source_strides = [1] target_strides = [1] sizes = [24] origin = "y" :
// CHECK-NOT:  tile.layer

// LOC: tile.conv2d {{.*}} loc("Conv_0")
// LOC: tile.reduce {{.*}} loc("Mean_1")
