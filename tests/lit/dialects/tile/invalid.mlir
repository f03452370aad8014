// RUN: not smalti-opt %s --split-input-file 2>&1 | filecheck %s

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4] order = [0] : memref<4xf32, "local">
}

// CHECK: error: 'tile.global': result must be in memory space "global"

// -----

tile.program @main {
  %x = tile.global "x" segment = "heap" shape = [4] order = [0] : memref<4xf32, "global">
}

// CHECK: error: 'tile.global': segment must be one of weights, input, output, scratch, got 'heap'

// -----

tile.program @main {
  %x = tile.global "x" segment = "weights" shape = [4] order = [0] : memref<4xf32, "global">
}

// CHECK: error: 'tile.global': a buffer of segment weights needs a key or a seed

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" key = "k" shape = [4] order = [0] : memref<4xf32, "global">
}

// CHECK: error: 'tile.global': a buffer of segment input has neither key nor seed

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4] order = [1] : memref<4xf32, "global">
}

// CHECK: error: 'tile.global': order [1] is no permutation of 1 axes

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [8, 4] order = [0, 1] : memref<4x8xf32, "global">
}

// CHECK: error: 'tile.global': physical shape [4, 8] does not hold [8, 4], the shape in order

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [8] order = [0] : memref<4xf32, "global">
}

// CHECK: error: 'tile.global': physical shape [4] does not hold [8], the shape in order

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4] order = [0] address = -1 : memref<4xf32, "global">
}

// CHECK: error: 'tile.global': address must not be negative, got -1

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4] order = [0] : memref<4xf32>
}

// CHECK: error: 'tile.global': a buffer is in memory space "global", "local", "acc", got memref<4xf32>

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4] order = [0] : memref<4xindex, "global">
}

// CHECK: error: 'tile.global': no storage type for elements of type index

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<?xf32, "local">
}

// CHECK: error: 'tile.alloc': sizes of a buffer are positive, got memref<?xf32, "local">

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4xf32, strided<[1]>, "local">
}

// CHECK: error: 'tile.alloc': a buffer has no layout map, got memref<4xf32, strided<[1]>, "local">

// -----

tile.program @main {
  %x = tile.alloc core -1 : memref<4xf32, "local">
}

// CHECK: error: 'tile.alloc': core must not be negative, got -1

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4xf32, "global">
}

// CHECK: error: 'tile.alloc': a core's buffer is in memory space "local" or "acc"

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4xi8, "acc">
}

// CHECK: error: 'tile.alloc': an accumulator must be stored as i32 or i64 or f32, is i8

// -----

tile.program @main {
  %x = tile.alloc core 0 address = 32 : memref<4xf32, "local">
}

// CHECK: error: 'tile.alloc': address must be a multiple of 64, got 32

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 5] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// CHECK: error: 'tile.layer': window 0 to 5 of axis 1 is not inside the output's 0 to 4

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// CHECK: error: 'tile.layer': window must have 4 numbers, got [0, 1]

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 2, 2] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// CHECK: error: 'tile.layer': window 2 to 2 of axis 1 is not inside the output's 0 to 4

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x5xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    tile.yield %a : tensor<1x5xf32>
  }
}

// CHECK: error: 'tile.layer': argument 0 has shape [1, 5], its buffer holds [1, 4]

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf16>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    tile.yield %a : tensor<1x4xf16>
  }
}

// CHECK: error: 'tile.layer': argument 0 is stored as f16, its buffer holds f32

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    %r = top.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// CHECK: error: 'tile.layer': body holds top.softmax, which is no op of tpu

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
  }
}

// CHECK: error: 'tile.layer': body must end in tile.yield

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "weights" key = "k" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// CHECK: error: 'tile.layer': output is written, but segment weights is read-only

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  tile.layer core -1 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// CHECK: error: 'tile.layer': core must not be negative, got -1

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 3] order = [0, 1] : memref<1x4xf32, "global">
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 3] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// CHECK: error: 'tile.layer': yielded value has shape [1, 4], its buffer holds [1, 3]

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<8x16xi8, "local">
  tile.copy core 0 %x -> %l source_offset = 1000 source_strides = [16, 1] target_strides = [16, 1] sizes = [8, 16] : memref<1x8x8x16xi8, "global"> -> memref<8x16xi8, "local">
}

// CHECK: error: 'tile.copy': source box covers elements 1000 to 1127, the buffer has 1024

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [5, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.copy': target box covers elements 0 to 67, the buffer has 64

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] pad = 13 : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.copy': target box covers elements 0 to 64, the buffer has 64

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] pad = -1 : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.copy': pad must not be negative, got -1

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] pad = 4 pad_value = 300 : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.copy': pad value 300 is outside the range of i8, -128 to 127

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 2] target_strides = [16, 1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.copy': the last axis of source must have stride 1, got 2

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.copy': target_strides must have 2 numbers, got [1]

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [-16, 1] target_strides = [16, 1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.copy': source_strides must be at least 0, got [-16, 1]

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [0, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.copy': sizes must be at least 1, got [0, 4]

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.copy core 0 %x -> %l source_offset = -1 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.copy': source box covers elements -1 to 50, the buffer has 1024

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi16, "local">
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi16, "local">
}

// CHECK: error: 'tile.copy': target must be stored as i8, is i16

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi32, "acc">
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi32, "acc">
}

// CHECK: error: 'tile.copy': target must be in memory space "global" or "local", is in "acc"

// -----

tile.program @main {
  %m = tile.alloc core 0 : memref<4x16xi8, "local">
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  tile.copy core 0 %m -> %x source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] : memref<4x16xi8, "local"> -> memref<1x8x8x16xi8, "global">
}

// CHECK: error: 'tile.copy': target is written, but segment input is read-only

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  tile.copy core 0 %x -> %y source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<1x8x8x16xi8, "global">
}

// CHECK: error: 'tile.copy': source or target must be local memory

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [] target_strides = [] sizes = [] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.copy': a copy needs at least one axis

// -----

tile.program @main {
  %l = tile.alloc core 0 : memref<4xi8, "local">
  tile.fill core 0 -> %l value = 200.0 : memref<4xi8, "local">
}

// CHECK: error: 'tile.fill': value 200.0 is outside the range of i8, -128 to 127

// -----

tile.program @main {
  %l = tile.alloc core 0 : memref<4xi32, "acc">
  tile.fill core 0 -> %l value = 0.0 : memref<4xi32, "acc">
}

// CHECK: error: 'tile.fill': target must be in memory space "local", is in "acc"

// -----

tile.program @main {
  %l = tile.alloc core 1 : memref<4xi8, "local">
  tile.fill core 0 -> %l value = 0.0 : memref<4xi8, "local">
}

// CHECK: error: 'tile.fill': a buffer of core 1 is used on core 0

// -----

tile.program @main {
  %l = tile.alloc core 1 : memref<4xi8, "local">
  tile.fill core -1 -> %l value = 0.0 : memref<4xi8, "local">
}

// CHECK: error: 'tile.fill': core must not be negative, got -1

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "local">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "local">
}

// CHECK: error: 'tile.conv2d': acc must be in memory space "acc", is in "local"

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi32, "acc">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': x must be in memory space "local", is in "acc"

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi16, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi16, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': w must be stored as i8, is i16

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xf32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xf32, "acc">
}

// CHECK: error: 'tile.conv2d': acc must be stored as i32 or i64, is f32

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xf32, "local">
  %w = tile.alloc core 0 : memref<1x36x32xf32, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xf32, "local">, memref<1x36x32xf32, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': acc must be stored as f32, is i32

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi32, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi32, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi32, "local">, memref<1x36x32xi32, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': x must be stored as i8 or u8 or i16, is i32

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': x must have 4 axes, has shape [8, 8, 16]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<2x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<2x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': x has 1 images, acc has 2

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [17, 8] kernel = [3, 3] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': input channels must be in 1 to 16, the pitch of x, got 17

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 17] kernel = [3, 3] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': output channels must be in 1 to 16, the pitch of acc, got 17

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4] kernel = [3, 3] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': channels must have 2 numbers, got [4]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [0, 3] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': kernel must be at least 1, got [0, 3]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] strides = [0, 1] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': strides must be at least 1, got [0, 1]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [-1, 0] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': pads must be at least 0, got [-1, 0]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pad_value = 128 : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': pad value 128 is outside the range of i8, -128 to 127

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] groups = 3 : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': 3 groups do not divide 4 input and 8 output channels

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x35x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<1x35x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': w must have shape [blocks, 36, block], has [1, 35, 32]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<2x36x8xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<2x36x8xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.conv2d': w must have 1 blocks of 8 for 8 columns, has 2

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<9x16xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.depthwise_conv2d core 0 %x, %w -> %acc channels = [4, 4] kernel = [3, 3] groups = 2 : memref<1x8x8x16xi8, "local">, memref<9x16xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.depthwise_conv2d': groups must be 1 or the input channels 4, got 2

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<9x16xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.depthwise_conv2d core 0 %x, %w -> %acc channels = [4, 6] kernel = [3, 3] : memref<1x8x8x16xi8, "local">, memref<9x16xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.depthwise_conv2d': 4 input channels do not divide 6 output channels

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<8x16xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  tile.depthwise_conv2d core 0 %x, %w -> %acc channels = [4, 4] kernel = [3, 3] : memref<1x8x8x16xi8, "local">, memref<8x16xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// CHECK: error: 'tile.depthwise_conv2d': w must have shape [9, 4 or more], has [8, 16]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x4x16xi32, "acc">
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 12 : memref<2x3x16xi8, "local">, memref<1x1x10x16xi8, "local"> -> memref<2x4x16xi32, "acc">
}

// CHECK: error: 'tile.matmul': x has 2 matrices of 3 rows, acc 2 of 4

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<3x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xi32, "acc">
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 12 : memref<2x3x16xi8, "local">, memref<3x1x10x16xi8, "local"> -> memref<2x3x16xi32, "acc">
}

// CHECK: error: 'tile.matmul': w must have 1 or 2 matrices, has 3

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xi32, "acc">
  tile.matmul core 0 %x, %w -> %acc depth = 17 columns = 12 : memref<2x3x16xi8, "local">, memref<1x1x10x16xi8, "local"> -> memref<2x3x16xi32, "acc">
}

// CHECK: error: 'tile.matmul': depth must be in 1 to 16, the pitch of x, got 17

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xi32, "acc">
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 17 : memref<2x3x16xi8, "local">, memref<1x1x10x16xi8, "local"> -> memref<2x3x16xi32, "acc">
}

// CHECK: error: 'tile.matmul': columns must be in 1 to 16, the pitch of acc, got 17

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xi32, "acc">
  tile.matmul core 0 %x, %w -> %acc depth = 9 columns = 12 : memref<2x3x16xi8, "local">, memref<1x1x10x16xi8, "local"> -> memref<2x3x16xi32, "acc">
}

// CHECK: error: 'tile.matmul': w must have shape [blocks, 9, block], has [1, 10, 16]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xi32, "acc">
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 12 zero_points = [0, 128] : memref<2x3x16xi8, "local">, memref<1x1x10x16xi8, "local"> -> memref<2x3x16xi32, "acc">
}

// CHECK: error: 'tile.matmul': zero point 128 is outside the range of i8, -128 to 127

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xi32, "acc">
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 12 transpose_w : memref<2x3x16xi8, "local">, memref<1x1x10x16xi8, "local"> -> memref<2x3x16xi32, "acc">
}

// CHECK: error: 'tile.matmul': transposed w must have shape [1, 1, 12, 10 or more], has [1, 1, 10, 16]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xf32, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xf32, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xf32, "acc">
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 12 zero_points = [1, 0] : memref<2x3x16xf32, "local">, memref<1x1x10x16xf32, "local"> -> memref<2x3x16xf32, "acc">
}

// CHECK: error: 'tile.matmul': zero point of f32 must be 0, got 1

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "local">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.epilogue core 0 %acc, %t -> %o channels = 8 : memref<4x16xi32, "local">, memref<3x16xi32, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.epilogue': acc must be in memory space "acc", is in "local"

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xf32, "local">
  tile.epilogue core 0 %acc, %t -> %o channels = 8 : memref<4x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<4x16xf32, "local">
}

// CHECK: error: 'tile.epilogue': acc of i32 does not become an output of f32

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<5x16xi8, "local">
  tile.epilogue core 0 %acc, %t -> %o channels = 8 : memref<4x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<5x16xi8, "local">
}

// CHECK: error: 'tile.epilogue': out has 5 rows, acc has 4

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<4x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.epilogue core 0 %acc, %t -> %o channels = 8 : memref<4x16xi32, "acc">, memref<4x16xi32, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.epilogue': table must have 3 rows, has 4

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xf32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.epilogue core 0 %acc, %t -> %o channels = 8 : memref<4x16xi32, "acc">, memref<3x16xf32, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.epilogue': table must be stored as i32, is f32

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.epilogue core 0 %acc, %t -> %o channels = 17 : memref<4x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.epilogue': channels must be in 1 to 16, the pitch of acc, got 17

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.epilogue core 0 %acc, %t -> %o channels = 8 clamp = [1.0, 0.0] : memref<4x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.epilogue': clamp bounds 1.0 and 0.0 leave nothing between them

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.epilogue core 0 %acc, %t -> %o channels = 8 zero_points = [0, 200] : memref<4x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.epilogue': zero point 200 is outside the range of i8, -128 to 127

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.epilogue core 0 %acc, %t -> %o channels = 8 clamp = [1.0] : memref<4x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.epilogue': clamp must have 2 numbers, got [1.0]

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<5x16xi32, "local">
  %r = tile.alloc core 0 : memref<4x16xi16, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.epilogue core 0 %acc, %t residual %r -> %o channels = 8 : memref<4x16xi32, "acc">, memref<5x16xi32, "local">, memref<4x16xi16, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.epilogue': residual must be stored as i8, is i16

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<5x16xi32, "local">
  %r = tile.alloc core 0 : memref<3x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.epilogue core 0 %acc, %t residual %r -> %o channels = 8 : memref<4x16xi32, "acc">, memref<5x16xi32, "local">, memref<3x16xi8, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.epilogue': residual has 3 rows, out has 4

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %r = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.epilogue core 0 %acc, %t residual %r -> %o channels = 8 : memref<4x16xi32, "acc">, memref<3x16xi32, "local">, memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.epilogue': table must have 5 rows, has 3

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<5x16xi8, "local">
  tile.convert core 0 %x -> %o columns = 4 : memref<4x16xi8, "local"> -> memref<5x16xi8, "local">
}

// CHECK: error: 'tile.convert': out has 5 rows, x has 4

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.convert core 0 %x -> %o columns = 17 : memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.convert': columns must be in 1 to 16, the pitch of x, got 17

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.convert core 0 %x -> %o columns = 4 scale = 0.0 : memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.convert': scale must be a positive number, got 0.0

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.convert core 0 %x -> %o columns = 4 multiplier = -1 : memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.convert': multiplier must be in 0 to 2^31 - 1, got -1

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.convert core 0 %x -> %o columns = 4 shift = 63 : memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.convert': shift must be in 0 to 62, got 63

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<5x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.binary core 0 %a, %b -> %o kind = "add" : memref<4x16xi8, "local">, memref<5x16xi8, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.binary': a [4, 16] and b [5, 16] do not broadcast to out [4, 16]

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<1x16xi8, "local">
  %o = tile.alloc core 0 : memref<5x16xi8, "local">
  tile.binary core 0 %a, %b -> %o kind = "add" : memref<4x16xi8, "local">, memref<1x16xi8, "local"> -> memref<5x16xi8, "local">
}

// CHECK: error: 'tile.binary': a [4, 16] and b [1, 16] do not broadcast to out [5, 16]

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.binary core 0 %a, %b -> %o kind = "div" : memref<4x16xi8, "local">, memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.binary': div is for floats, out is i8

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.binary core 0 %a, %b -> %o kind = "pow" : memref<4x16xi8, "local">, memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.binary': kind must be one of add, sub, mul, div, {{.*}}, got 'pow'

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<4x16xi16, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.binary core 0 %a, %b -> %o kind = "add" : memref<4x16xi8, "local">, memref<4x16xi16, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.binary': b must be stored as i8, is i16

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<1x1x1x4x16xi8, "local">
  %b = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<1x1x1x4x16xi8, "local">
  tile.binary core 0 %a, %b -> %o kind = "add" : memref<1x1x1x4x16xi8, "local">, memref<4x16xi8, "local"> -> memref<1x1x1x4x16xi8, "local">
}

// CHECK: error: 'tile.binary': out has 5 axes, at most 4 are allowed

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.binary core 0 %a, %b -> %o kind = "add" multipliers = [-1, 0] : memref<4x16xi8, "local">, memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.binary': multiplier must be in 0 to 2^31 - 1, got -1

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.binary core 0 %a, %b -> %o kind = "add" shift = 63 : memref<4x16xi8, "local">, memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.binary': shift must be in 0 to 62, got 63

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x4x4x16xi8, "local">
  %o = tile.alloc core 0 : memref<1x2x2x16xi8, "local">
  tile.pool core 0 %x -> %o kind = "min" kernel = [2, 2] : memref<1x4x4x16xi8, "local"> -> memref<1x2x2x16xi8, "local">
}

// CHECK: error: 'tile.pool': kind must be one of max, average, got 'min'

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x4x4x16xi8, "local">
  %o = tile.alloc core 0 : memref<1x2x2x32xi8, "local">
  tile.pool core 0 %x -> %o kind = "max" kernel = [2, 2] : memref<1x4x4x16xi8, "local"> -> memref<1x2x2x32xi8, "local">
}

// CHECK: error: 'tile.pool': x [1, 4, 4, 16] and out [1, 2, 2, 32] must agree in images and pitch

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x4x4x16xi8, "local">
  %o = tile.alloc core 0 : memref<1x2x2x16xi16, "local">
  tile.pool core 0 %x -> %o kind = "max" kernel = [2, 2] : memref<1x4x4x16xi8, "local"> -> memref<1x2x2x16xi16, "local">
}

// CHECK: error: 'tile.pool': out must be stored as i8, is i16

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %o = tile.alloc core 0 : memref<2x16xi8, "local">
  tile.reduce core 0 %x -> %o kind = "mean" sizes = [2, 4, 16] strides = [48, 16] : memref<2x3x16xi8, "local"> -> memref<2x16xi8, "local">
}

// CHECK: error: 'tile.reduce': sizes and strides reach element 111 of x, which has 96

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %o = tile.alloc core 0 : memref<3x16xi8, "local">
  tile.reduce core 0 %x -> %o kind = "max" sizes = [2, 3, 16] strides = [48, 16] : memref<2x3x16xi8, "local"> -> memref<3x16xi8, "local">
}

// CHECK: error: 'tile.reduce': out has 3 rows, expected 2

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %o = tile.alloc core 0 : memref<2x16xi8, "local">
  tile.reduce core 0 %x -> %o kind = "median" sizes = [2, 3, 16] strides = [48, 16] : memref<2x3x16xi8, "local"> -> memref<2x16xi8, "local">
}

// CHECK: error: 'tile.reduce': kind must be one of mean, sum, max, min, prod, l1, l2, sum_square, log_sum, log_sum_exp, got 'median'

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %o = tile.alloc core 0 : memref<2x16xi8, "local">
  tile.reduce core 0 %x -> %o kind = "prod" sizes = [2, 3, 16] strides = [48, 16] : memref<2x3x16xi8, "local"> -> memref<2x16xi8, "local">
}

// CHECK: error: 'tile.reduce': prod is for floats, x is i8

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %i = tile.alloc core 0 : memref<6x1xi32, "local">
  %o = tile.alloc core 0 : memref<2x5x16xi8, "local">
  tile.resample core 0 %x, %i -> %o axis = 1 : memref<2x3x16xi8, "local">, memref<6x1xi32, "local"> -> memref<2x5x16xi8, "local">
}

// CHECK: error: 'tile.resample': out must have shape [2, 6, 16], has [2, 5, 16]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %i = tile.alloc core 0 : memref<6x2xi32, "local">
  %o = tile.alloc core 0 : memref<2x6x16xi8, "local">
  tile.resample core 0 %x, %i -> %o axis = 1 : memref<2x3x16xi8, "local">, memref<6x2xi32, "local"> -> memref<2x6x16xi8, "local">
}

// CHECK: error: 'tile.resample': without weight there is one tap, index has 2

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %i = tile.alloc core 0 : memref<6x1xi8, "local">
  %o = tile.alloc core 0 : memref<2x6x16xi8, "local">
  tile.resample core 0 %x, %i -> %o axis = 1 : memref<2x3x16xi8, "local">, memref<6x1xi8, "local"> -> memref<2x6x16xi8, "local">
}

// CHECK: error: 'tile.resample': index must be stored as i32, is i8

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %i = tile.alloc core 0 : memref<6x1xi32, "local">
  %o = tile.alloc core 0 : memref<2x6x16xi8, "local">
  tile.resample core 0 %x, %i -> %o axis = 3 : memref<2x3x16xi8, "local">, memref<6x1xi32, "local"> -> memref<2x6x16xi8, "local">
}

// CHECK: error: 'tile.resample': axis 3 is not one of 3 axes

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %i = tile.alloc core 0 : memref<6x2xi32, "local">
  %w = tile.alloc core 0 : memref<6x2xf32, "local">
  %o = tile.alloc core 0 : memref<2x6x16xi8, "local">
  tile.resample core 0 %x, %i weight %w -> %o axis = 1 : memref<2x3x16xi8, "local">, memref<6x2xi32, "local">, memref<6x2xf32, "local"> -> memref<2x6x16xi8, "local">
}

// CHECK: error: 'tile.resample': interpolation is for floats, x is i8

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xf32, "local">
  %i = tile.alloc core 0 : memref<6x2xi32, "local">
  %w = tile.alloc core 0 : memref<6x1xf32, "local">
  %o = tile.alloc core 0 : memref<2x6x16xf32, "local">
  tile.resample core 0 %x, %i weight %w -> %o axis = 1 : memref<2x3x16xf32, "local">, memref<6x2xi32, "local">, memref<6x1xf32, "local"> -> memref<2x6x16xf32, "local">
}

// CHECK: error: 'tile.resample': weight must have the shape of index, [6, 2], has [6, 1]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  tile.softmax core 0 %x -> %o columns = 4 : memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// CHECK: error: 'tile.softmax': x must be a float, is i8

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xf32, "local">
  %o = tile.alloc core 0 : memref<4x16xf16, "local">
  tile.softmax core 0 %x -> %o columns = 4 : memref<4x16xf32, "local"> -> memref<4x16xf16, "local">
}

// CHECK: error: 'tile.softmax': out must be stored as f32, is f16

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xf32, "local">
  %o = tile.alloc core 0 : memref<4x16xf32, "local">
  tile.softmax core 0 %x -> %o columns = 20 : memref<4x16xf32, "local"> -> memref<4x16xf32, "local">
}

// CHECK: error: 'tile.softmax': columns must be in 1 to 16, the pitch of x, got 20

// -----

"tile.program"() <{sym_name = "main"}> ({
  %x = "tile.global"() <{name = "x", segment = "input", shape = array<i64: 1, 4>, order = array<i64: 0, 1>}> : () -> memref<1x4xf32, "global">
  %y = "tile.global"() <{name = "y", segment = "output", shape = array<i64: 1, 4>, order = array<i64: 0, 1>}> : () -> memref<1x4xf32, "global">
  "tile.layer"(%x, %y) <{core = 0 : i64, window = array<i64: 0, 1, 0, 4>}> ({
    %r = "tpu.weight"() <{name = "r", seed = 1 : i64}> : () -> tensor<1x4xf32>
    "tile.yield"(%r) : (tensor<1x4xf32>) -> ()
  }) : (memref<1x4xf32, "global">, memref<1x4xf32, "global">) -> ()
}) : () -> ()

// CHECK: error: 'tile.layer': body has 0 arguments for 1 inputs

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as memref<1x4xf32, "global">) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    %r = tpu.weight "r" seed = 1 : tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// CHECK: error: 'tile.layer': argument 0 must be a tensor, got memref<1x4xf32, "global">

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x4xf32, "acc">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  tile.layer core 0 (%a = %x : memref<1x4xf32, "acc"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// CHECK: error: 'tile.layer': argument 0 cannot be in memory space "acc"

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<f32, "local">
  %y = tile.alloc core 0 : memref<4xf32, "local">
  tile.softmax core 0 %x -> %y columns = 1 : memref<f32, "local"> -> memref<4xf32, "local">
}

// CHECK: error: 'tile.softmax': x must have rows, has no axis

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xi8, "local">
  %o = tile.alloc core 0 : memref<6x48xi8, "local">
  tile.normalize core 0 %x -> %o kind = "rms" length = 48 epsilon = 0.0 : memref<6x48xi8, "local"> -> memref<6x48xi8, "local">
}

// CHECK: error: 'tile.normalize': x must be a float, is i8

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x64xf32, "local">
  tile.normalize core 0 %x -> %o kind = "rms" length = 48 epsilon = 0.0 : memref<6x48xf32, "local"> -> memref<6x64xf32, "local">
}

// CHECK: error: 'tile.normalize': out has rows of 64, x of 48

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<3x48xf32, "local">
  tile.normalize core 0 %x -> %o kind = "rms" length = 48 epsilon = 0.0 : memref<6x48xf32, "local"> -> memref<3x48xf32, "local">
}

// CHECK: error: 'tile.normalize': out has 3 rows, x has 6

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x48xf32, "local">
  tile.normalize core 0 %x -> %o kind = "rms" length = 4 inner = 16 epsilon = 0.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// CHECK: error: 'tile.normalize': length times inner must be in 1 to 48, the pitch of x, got 64

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x48xf32, "local">
  tile.normalize core 0 %x -> %o kind = "rms" length = 0 epsilon = 0.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// CHECK: error: 'tile.normalize': length and inner are at least 1, got 0, 1

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x48xf32, "local">
  tile.normalize core 0 %x -> %o kind = "rms" length = 3 epsilon = -1.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// CHECK: error: 'tile.normalize': epsilon must be a number that is not negative, got -1.0

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x48xf32, "local">
  tile.normalize core 0 %x -> %o kind = "max" length = 3 epsilon = 0.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// CHECK: error: 'tile.normalize': kind must be one of mean_variance, rms, l1, l2, got 'max'

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x48xf32, "local">
  %t = tile.alloc core 0 : memref<2x4x1x1xf32, "local">
  tile.normalize core 0 %x parameters %t -> %o kind = "rms" length = 48 epsilon = 0.0 : memref<6x48xf32, "local">, memref<2x4x1x1xf32, "local"> -> memref<6x48xf32, "local">
}

// CHECK: error: 'tile.normalize': parameters [2, 4, 1, 1] do not divide [2, 6, 48, 1]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x48xf32, "local">
  %t = tile.alloc core 0 : memref<2x1x48xf32, "local">
  tile.normalize core 0 %x parameters %t -> %o kind = "rms" length = 48 epsilon = 0.0 : memref<6x48xf32, "local">, memref<2x1x48xf32, "local"> -> memref<6x48xf32, "local">
}

// CHECK: error: 'tile.normalize': parameters must have 4 axes, has shape [2, 1, 48]

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  tile.local_response_norm core 0 %x -> %x columns = 37 size = 0 alpha = 0.5 beta = 0.75 offset = 1.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// CHECK: error: 'tile.local_response_norm': size must be at least 1, got 0

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  tile.local_response_norm core 0 %x -> %x columns = 49 size = 3 alpha = 0.5 beta = 0.75 offset = 1.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// CHECK: error: 'tile.local_response_norm': columns must be in 1 to 48, the pitch of x, got 49

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  tile.local_response_norm core 0 %x -> %x columns = 4 size = 3 alpha = 0x7FF0000000000000 beta = 0.75 offset = 1.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// CHECK: error: 'tile.local_response_norm': alpha must be a number, got inf
