// RUN: smalti-opt %s --split-input-file -p "convert-tpu-to-tile,tile-cut-to-local-memory" --weights-out %t.safetensors | filecheck %s
// RUN: smalti-opt %s --split-input-file -p "convert-tpu-to-tile,tile-cut-to-local-memory" --weights-out %t.safetensors | filecheck %s --check-prefix COUNT

// The sizes of tiles that are chosen for layers too large for local memory: the buffers of the first tile, and how
// many tiles there are. A change of the cost model shows here.

// On edge-1c, a convolution in 76 tiles.
module attributes {smalti.target = "edge-1c", smalti.target_hash = "sha256:f987424c11ff92f3"} {
  func.func @main(%x: tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.05:-1>> attributes {smalti.inputs = ["x"], smalti.outputs = ["c"]} {
    %w = tpu.weight "w" seed = 1 : tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %c = tpu.conv2d "c" %x, %w strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.05:-1>>
    func.return %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.05:-1>>
  }
}

// CHECK:      tile.global "c.table" segment = "weights"
// CHECK-NEXT: tile.alloc core 0 : memref<1x576x32xi8, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x4x56x64xi8, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x3x56x32xi32, "acc">
// CHECK-NEXT: tile.conv2d core 0
// CHECK-NEXT: tile.alloc core 0 : memref<3x32xi32, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x3x56x32xi8, "local">
// CHECK-NEXT: tile.epilogue core 0
// COUNT-COUNT-76: tile.conv2d core 0
// COUNT-NOT:  tile.conv2d core 0

// -----

// On edge-1c, a matrix product in 64 tiles.
module attributes {smalti.target = "edge-1c", smalti.target_hash = "sha256:f987424c11ff92f3"} {
  func.func @main(%x: tensor<512x1024x!quant.uniform<i8:f32, 0.05:-1>>) -> tensor<512x1024x!quant.uniform<i8:f32, 0.05:-1>> attributes {smalti.inputs = ["x"], smalti.outputs = ["m"]} {
    %w = tpu.weight "w" seed = 1 : tensor<1024x1024x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %m = tpu.matmul "m" %x, %w accumulator = "i32" : (tensor<512x1024x!quant.uniform<i8:f32, 0.05:-1>>, tensor<1024x1024x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<512x1024x!quant.uniform<i8:f32, 0.05:-1>>
    func.return %m : tensor<512x1024x!quant.uniform<i8:f32, 0.05:-1>>
  }
}

// CHECK:      tile.global "m.table" segment = "weights"
// CHECK-NEXT: tile.alloc core 0 : memref<1x2x1024x32xi8, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x128x1024xi8, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x128x64xi32, "acc">
// CHECK-NEXT: tile.matmul core 0
// CHECK-NEXT: tile.alloc core 0 : memref<3x64xi32, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x128x64xi8, "local">
// CHECK-NEXT: tile.epilogue core 0
// COUNT-COUNT-64: tile.matmul core 0
// COUNT-NOT:  tile.matmul core 0

// -----

// On edge-1c, an element-wise op in 32 tiles.
module attributes {smalti.target = "edge-1c", smalti.target_hash = "sha256:f987424c11ff92f3"} {
  func.func @main(%x: tensor<1x96x112x112xbf16>, %y: tensor<1x96x112x112xbf16>) -> tensor<1x96x112x112xbf16> attributes {smalti.inputs = ["x", "y"], smalti.outputs = ["a"]} {
    %a = tpu.add "a" %x, %y : (tensor<1x96x112x112xbf16>, tensor<1x96x112x112xbf16>) -> tensor<1x96x112x112xbf16>
    func.return %a : tensor<1x96x112x112xbf16>
  }
}

// CHECK:      tile.global "a" segment = "output"
// CHECK-NEXT: tile.alloc core 0 : memref<37632xbf16, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<37632xbf16, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<37632xbf16, "local">
// CHECK-NEXT: tile.binary core 0
// COUNT-COUNT-32: tile.binary core 0
// COUNT-NOT:  tile.binary core 0

// -----

// On edge-1c, a pool in 8 tiles.
module attributes {smalti.target = "edge-1c", smalti.target_hash = "sha256:f987424c11ff92f3"} {
  func.func @main(%x: tensor<1x64x112x112x!quant.uniform<i8:f32, 0.05:-1>>) -> tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>> attributes {smalti.inputs = ["x"], smalti.outputs = ["p"]} {
    %p = tpu.max_pool "p" %x kernel = [3, 3] strides = [2, 2] pads = [1, 1, 1, 1] : (tensor<1x64x112x112x!quant.uniform<i8:f32, 0.05:-1>>) -> tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>
    func.return %p : tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>
  }
}

// CHECK:      tile.global "p" segment = "output"
// CHECK-NEXT: tile.alloc core 0 : memref<1x14x112x64xi8, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x7x56x64xi8, "local">
// CHECK-NEXT: tile.pool core 0
// COUNT-COUNT-8: tile.pool core 0
// COUNT-NOT:  tile.pool core 0

// -----

// On default-8c, a convolution in 56 tiles.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x64x112x112x!quant.uniform<i8:f32, 0.05:-1>>) -> tensor<1x128x112x112x!quant.uniform<i8:f32, 0.05:-1>> attributes {smalti.inputs = ["x"], smalti.outputs = ["c"]} {
    %w = tpu.weight "w" seed = 1 : tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %c = tpu.conv2d "c" %x, %w strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x112x112x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x112x112x!quant.uniform<i8:f32, 0.05:-1>>
    func.return %c : tensor<1x128x112x112x!quant.uniform<i8:f32, 0.05:-1>>
  }
}

// CHECK:      tile.global "c.table" segment = "weights"
// CHECK-NEXT: tile.alloc core 0 : memref<1x576x64xi8, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x5x112x64xi8, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x4x112x64xi32, "acc">
// CHECK-NEXT: tile.conv2d core 0
// CHECK-NEXT: tile.alloc core 0 : memref<3x64xi32, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x4x112x64xi8, "local">
// CHECK-NEXT: tile.epilogue core 0
// COUNT-COUNT-56: tile.conv2d core 0
// COUNT-NOT:  tile.conv2d core 0

// -----

// On default-8c, a matrix product in 64 tiles.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1024x2048x!quant.uniform<i8:f32, 0.05:-1>>) -> tensor<1024x2048x!quant.uniform<i8:f32, 0.05:-1>> attributes {smalti.inputs = ["x"], smalti.outputs = ["m"]} {
    %w = tpu.weight "w" seed = 1 : tensor<2048x2048x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %m = tpu.matmul "m" %x, %w accumulator = "i32" : (tensor<1024x2048x!quant.uniform<i8:f32, 0.05:-1>>, tensor<2048x2048x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1024x2048x!quant.uniform<i8:f32, 0.05:-1>>
    func.return %m : tensor<1024x2048x!quant.uniform<i8:f32, 0.05:-1>>
  }
}

// CHECK:      tile.global "m.table" segment = "weights"
// CHECK-NEXT: tile.alloc core 0 : memref<1x2x2048x64xi8, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x256x2048xi8, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x256x128xi32, "acc">
// CHECK-NEXT: tile.matmul core 0
// CHECK-NEXT: tile.alloc core 0 : memref<3x128xi32, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x256x128xi8, "local">
// CHECK-NEXT: tile.epilogue core 0
// COUNT-COUNT-64: tile.matmul core 0
// COUNT-NOT:  tile.matmul core 0

// -----

// On default-8c, an element-wise op in 32 tiles.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x96x224x224xbf16>, %y: tensor<1x96x224x224xbf16>) -> tensor<1x96x224x224xbf16> attributes {smalti.inputs = ["x", "y"], smalti.outputs = ["a"]} {
    %a = tpu.add "a" %x, %y : (tensor<1x96x224x224xbf16>, tensor<1x96x224x224xbf16>) -> tensor<1x96x224x224xbf16>
    func.return %a : tensor<1x96x224x224xbf16>
  }
}

// CHECK:      tile.global "a" segment = "output"
// CHECK-NEXT: tile.alloc core 0 : memref<150528xbf16, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<150528xbf16, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<150528xbf16, "local">
// CHECK-NEXT: tile.binary core 0
// COUNT-COUNT-32: tile.binary core 0
// COUNT-NOT:  tile.binary core 0

// -----

// On default-8c, a pool in 9 tiles.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x64x224x224x!quant.uniform<i8:f32, 0.05:-1>>) -> tensor<1x64x112x112x!quant.uniform<i8:f32, 0.05:-1>> attributes {smalti.inputs = ["x"], smalti.outputs = ["p"]} {
    %p = tpu.max_pool "p" %x kernel = [3, 3] strides = [2, 2] pads = [1, 1, 1, 1] : (tensor<1x64x224x224x!quant.uniform<i8:f32, 0.05:-1>>) -> tensor<1x64x112x112x!quant.uniform<i8:f32, 0.05:-1>>
    func.return %p : tensor<1x64x112x112x!quant.uniform<i8:f32, 0.05:-1>>
  }
}

// CHECK:      tile.global "p" segment = "output"
// CHECK-NEXT: tile.alloc core 0 : memref<1x26x224x64xi8, "local">
// CHECK-NEXT: tile.copy core 0
// CHECK-NEXT: tile.alloc core 0 : memref<1x13x112x64xi8, "local">
// CHECK-NEXT: tile.pool core 0
// COUNT-COUNT-9: tile.pool core 0
// COUNT-NOT:  tile.pool core 0
