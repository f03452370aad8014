// RUN: smalti-opt %s --split-input-file --verify-diagnostics

tile.program @main {
  // expected-error @below {{'tile.global': result must be in memory space "global"}}
  %x = tile.global "x" segment = "input" shape = [4] order = [0] : memref<4xf32, "local">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': segment must be one of weights, input, output, scratch, got 'heap'}}
  %x = tile.global "x" segment = "heap" shape = [4] order = [0] : memref<4xf32, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': a buffer of segment weights needs a key or a seed}}
  %x = tile.global "x" segment = "weights" shape = [4] order = [0] : memref<4xf32, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': seed must be at least 0}}
  %x = tile.global "x" segment = "weights" seed = -1 shape = [4] order = [0] : memref<4xf32, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': a buffer of segment input has neither key nor seed}}
  %x = tile.global "x" segment = "input" key = "k" shape = [4] order = [0] : memref<4xf32, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': order [1] is no permutation of 1 axes}}
  %x = tile.global "x" segment = "input" shape = [4] order = [1] : memref<4xf32, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': physical shape [4, 8] does not hold [8, 4], the shape in order}}
  %x = tile.global "x" segment = "input" shape = [8, 4] order = [0, 1] : memref<4x8xf32, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': physical shape [4] does not hold [8], the shape in order}}
  %x = tile.global "x" segment = "input" shape = [8] order = [0] : memref<4xf32, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': address must not be negative, got -1}}
  %x = tile.global "x" segment = "input" shape = [4] order = [0] address = -1 : memref<4xf32, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': a buffer is in memory space "global", "local", "acc", got memref<4xf32>}}
  %x = tile.global "x" segment = "input" shape = [4] order = [0] : memref<4xf32>
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': no storage type for elements of type index}}
  %x = tile.global "x" segment = "input" shape = [4] order = [0] : memref<4xindex, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.alloc': sizes of a buffer are positive, got memref<?xf32, "local">}}
  %x = tile.alloc core 0 : memref<?xf32, "local">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.alloc': a buffer has no layout map, got memref<4xf32, strided<[1]>, "local">}}
  %x = tile.alloc core 0 : memref<4xf32, strided<[1]>, "local">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.alloc': core must not be negative, got -1}}
  %x = tile.alloc core -1 : memref<4xf32, "local">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.alloc': a core's buffer is in memory space "local" or "acc"}}
  %x = tile.alloc core 0 : memref<4xf32, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.alloc': an accumulator must be stored as i32 or i64 or f32, is i8}}
  %x = tile.alloc core 0 : memref<4xi8, "acc">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.alloc': address must be a multiple of 64, got 32}}
  %x = tile.alloc core 0 address = 32 : memref<4xf32, "local">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  // expected-error @below {{'tile.layer': window 0 to 5 of axis 1 is not inside the output's 0 to 4}}
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 5] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  // expected-error @below {{'tile.layer': window must have 4 numbers, got [0, 1]}}
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  // expected-error @below {{'tile.layer': window 2 to 2 of axis 1 is not inside the output's 0 to 4}}
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 2, 2] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  // expected-error @below {{'tile.layer': argument 0 has shape [1, 5], its buffer holds [1, 4]}}
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x5xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    tile.yield %a : tensor<1x5xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  // expected-error @below {{'tile.layer': argument 0 is stored as f16, its buffer holds f32}}
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf16>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    tile.yield %a : tensor<1x4xf16>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  // expected-error @below {{'tile.layer': body holds top.softmax, which is no op of tpu}}
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    %r = top.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  // expected-error @below {{'tile.layer': body must end in tile.yield}}
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "weights" key = "k" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  // expected-error @below {{'tile.layer': output is written, but segment weights is read-only}}
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  // expected-error @below {{'tile.layer': core must not be negative, got -1}}
  tile.layer core -1 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 3] order = [0, 1] : memref<1x4xf32, "global">
  // expected-error @below {{'tile.layer': yielded value has shape [1, 4], its buffer holds [1, 3]}}
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 3] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<8x16xi8, "local">
  // expected-error @below {{'tile.copy': source box covers elements 1000 to 1127, the buffer has 1024}}
  tile.copy core 0 %x -> %l source_offset = 1000 source_strides = [16, 1] target_strides = [16, 1] sizes = [8, 16] : memref<1x8x8x16xi8, "global"> -> memref<8x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.copy': target box covers elements 0 to 67, the buffer has 64}}
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [5, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.copy': target box covers elements 0 to 64, the buffer has 64}}
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] pad = 13 : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.copy': pad must not be negative, got -1}}
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] pad = -1 : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.copy': pad value 300 is outside the range of i8, -128 to 127}}
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] pad = 4 pad_value = 300 : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.copy': the last axis of source must have stride 1, got 2}}
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 2] target_strides = [16, 1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.copy': target_strides must have 2 numbers, got [1]}}
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.copy': source_strides must be at least 0, got [-16, 1]}}
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [-16, 1] target_strides = [16, 1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.copy': sizes must be at least 1, got [0, 4]}}
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [0, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.copy': source box covers elements -1 to 50, the buffer has 1024}}
  tile.copy core 0 %x -> %l source_offset = -1 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi16, "local">
  // expected-error @below {{'tile.copy': target must be stored as i8, is i16}}
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi16, "local">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi32, "acc">
  // expected-error @below {{'tile.copy': target must be in memory space "global" or "local", is in "acc"}}
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi32, "acc">
}

// -----

tile.program @main {
  %m = tile.alloc core 0 : memref<4x16xi8, "local">
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  // expected-error @below {{'tile.copy': target is written, but segment input is read-only}}
  tile.copy core 0 %m -> %x source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] : memref<4x16xi8, "local"> -> memref<1x8x8x16xi8, "global">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  // expected-error @below {{'tile.copy': source or target must be local memory}}
  tile.copy core 0 %x -> %y source_offset = 0 source_strides = [16, 1] target_strides = [16, 1] sizes = [4, 4] : memref<1x8x8x16xi8, "global"> -> memref<1x8x8x16xi8, "global">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %l = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.copy': a copy needs at least one axis}}
  tile.copy core 0 %x -> %l source_offset = 0 source_strides = [] target_strides = [] sizes = [] : memref<1x8x8x16xi8, "global"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %l = tile.alloc core 0 : memref<4xi8, "local">
  // expected-error @below {{'tile.fill': value 200.0 is outside the range of i8, -128 to 127}}
  tile.fill core 0 -> %l value = 200.0 : memref<4xi8, "local">
}

// -----

tile.program @main {
  %l = tile.alloc core 0 : memref<4xi32, "acc">
  // expected-error @below {{'tile.fill': target must be in memory space "local", is in "acc"}}
  tile.fill core 0 -> %l value = 0.0 : memref<4xi32, "acc">
}

// -----

tile.program @main {
  %l = tile.alloc core 1 : memref<4xi8, "local">
  // expected-error @below {{'tile.fill': a buffer of core 1 is used on core 0}}
  tile.fill core 0 -> %l value = 0.0 : memref<4xi8, "local">
}

// -----

tile.program @main {
  %l = tile.alloc core 1 : memref<4xi8, "local">
  // expected-error @below {{'tile.fill': core must not be negative, got -1}}
  tile.fill core -1 -> %l value = 0.0 : memref<4xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "local">
  // expected-error @below {{'tile.conv2d': acc must be in memory space "acc", is in "local"}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': x must be in memory space "local", is in "acc"}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi32, "acc">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi16, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': w must be stored as i8, is i16}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi16, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xf32, "acc">
  // expected-error @below {{'tile.conv2d': acc must be stored as i32 or i64, is f32}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xf32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xf32, "local">
  %w = tile.alloc core 0 : memref<1x36x32xf32, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': acc must be stored as f32, is i32}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xf32, "local">, memref<1x36x32xf32, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi32, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi32, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': x must be stored as i8 or u8 or i16, is i32}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi32, "local">, memref<1x36x32xi32, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': x must have 4 axes, has shape [8, 8, 16]}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<2x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': x has 1 images, acc has 2}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<2x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': input channels must be in 1 to 16, the pitch of x, got 17}}
  tile.conv2d core 0 %x, %w -> %acc channels = [17, 8] kernel = [3, 3] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': output channels must be in 1 to 16, the pitch of acc, got 17}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 17] kernel = [3, 3] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': channels must have 2 numbers, got [4]}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4] kernel = [3, 3] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': kernel must be at least 1, got [0, 3]}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [0, 3] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': strides must be at least 1, got [0, 1]}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] strides = [0, 1] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': pads must be at least 0, got [-1, 0]}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [-1, 0] : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': pad value 128 is outside the range of i8, -128 to 127}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pad_value = 128 : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': 3 groups do not divide 4 input and 8 output channels}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] groups = 3 : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x35x32xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': w must have shape [blocks, 36, block], has [1, 35, 32]}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<1x35x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<2x36x8xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.conv2d': w must have 1 blocks of 8 for 8 columns, has 2}}
  tile.conv2d core 0 %x, %w -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] : memref<1x8x8x16xi8, "local">, memref<2x36x8xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<9x16xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.depthwise_conv2d': groups must be 1 or the input channels 4, got 2}}
  tile.depthwise_conv2d core 0 %x, %w -> %acc channels = [4, 4] kernel = [3, 3] groups = 2 : memref<1x8x8x16xi8, "local">, memref<9x16xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<9x16xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.depthwise_conv2d': 4 input channels do not divide 6 output channels}}
  tile.depthwise_conv2d core 0 %x, %w -> %acc channels = [4, 6] kernel = [3, 3] : memref<1x8x8x16xi8, "local">, memref<9x16xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  %w = tile.alloc core 0 : memref<8x16xi8, "local">
  %acc = tile.alloc core 0 : memref<1x8x8x16xi32, "acc">
  // expected-error @below {{'tile.depthwise_conv2d': w must have shape [9, 4 or more], has [8, 16]}}
  tile.depthwise_conv2d core 0 %x, %w -> %acc channels = [4, 4] kernel = [3, 3] : memref<1x8x8x16xi8, "local">, memref<8x16xi8, "local"> -> memref<1x8x8x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x4x16xi32, "acc">
  // expected-error @below {{'tile.matmul': x has 2 matrices of 3 rows, acc 2 of 4}}
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 12 : memref<2x3x16xi8, "local">, memref<1x1x10x16xi8, "local"> -> memref<2x4x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<3x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xi32, "acc">
  // expected-error @below {{'tile.matmul': w must have 1 or 2 matrices, has 3}}
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 12 : memref<2x3x16xi8, "local">, memref<3x1x10x16xi8, "local"> -> memref<2x3x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xi32, "acc">
  // expected-error @below {{'tile.matmul': depth must be in 1 to 16, the pitch of x, got 17}}
  tile.matmul core 0 %x, %w -> %acc depth = 17 columns = 12 : memref<2x3x16xi8, "local">, memref<1x1x10x16xi8, "local"> -> memref<2x3x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xi32, "acc">
  // expected-error @below {{'tile.matmul': columns must be in 1 to 16, the pitch of acc, got 17}}
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 17 : memref<2x3x16xi8, "local">, memref<1x1x10x16xi8, "local"> -> memref<2x3x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xi32, "acc">
  // expected-error @below {{'tile.matmul': w must have shape [blocks, 9, block], has [1, 10, 16]}}
  tile.matmul core 0 %x, %w -> %acc depth = 9 columns = 12 : memref<2x3x16xi8, "local">, memref<1x1x10x16xi8, "local"> -> memref<2x3x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xi32, "acc">
  // expected-error @below {{'tile.matmul': zero point 128 is outside the range of i8, -128 to 127}}
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 12 zero_points = [0, 128] : memref<2x3x16xi8, "local">, memref<1x1x10x16xi8, "local"> -> memref<2x3x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xi8, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xi32, "acc">
  // expected-error @below {{'tile.matmul': transposed w must have shape [1, 1, 12, 10 or more], has [1, 1, 10, 16]}}
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 12 transpose_w : memref<2x3x16xi8, "local">, memref<1x1x10x16xi8, "local"> -> memref<2x3x16xi32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xf32, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xf32, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xf32, "acc">
  // expected-error @below {{'tile.matmul': the vector unit does not multiply by a transposed w}}
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 1 transpose_w on_vector_unit : memref<2x3x16xf32, "local">, memref<1x1x10x16xf32, "local"> -> memref<2x3x16xf32, "acc">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xf32, "local">
  %w = tile.alloc core 0 : memref<1x1x10x16xf32, "local">
  %acc = tile.alloc core 0 : memref<2x3x16xf32, "acc">
  // expected-error @below {{'tile.matmul': zero point of f32 must be 0, got 1}}
  tile.matmul core 0 %x, %w -> %acc depth = 10 columns = 12 zero_points = [1, 0] : memref<2x3x16xf32, "local">, memref<1x1x10x16xf32, "local"> -> memref<2x3x16xf32, "acc">
}

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "local">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.epilogue': acc must be in memory space "acc", is in "local"}}
  tile.epilogue core 0 %acc, %t -> %o channels = 8 : memref<4x16xi32, "local">, memref<3x16xi32, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xf32, "local">
  // expected-error @below {{'tile.epilogue': acc of i32 does not become an output of f32}}
  tile.epilogue core 0 %acc, %t -> %o channels = 8 : memref<4x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<4x16xf32, "local">
}

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<5x16xi8, "local">
  // expected-error @below {{'tile.epilogue': out has 5 rows, acc has 4}}
  tile.epilogue core 0 %acc, %t -> %o channels = 8 : memref<4x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<5x16xi8, "local">
}

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<4x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.epilogue': table must have 3 rows, has 4}}
  tile.epilogue core 0 %acc, %t -> %o channels = 8 : memref<4x16xi32, "acc">, memref<4x16xi32, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xf32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.epilogue': table must be stored as i32, is f32}}
  tile.epilogue core 0 %acc, %t -> %o channels = 8 : memref<4x16xi32, "acc">, memref<3x16xf32, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.epilogue': channels must be in 1 to 16, the pitch of acc, got 17}}
  tile.epilogue core 0 %acc, %t -> %o channels = 17 : memref<4x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.epilogue': clamp bounds 1.0 and 0.0 leave nothing between them}}
  tile.epilogue core 0 %acc, %t -> %o channels = 8 clamp = [1.0, 0.0] : memref<4x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.epilogue': zero point 200 is outside the range of i8, -128 to 127}}
  tile.epilogue core 0 %acc, %t -> %o channels = 8 zero_points = [0, 200] : memref<4x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.epilogue': clamp must have 2 numbers, got [1.0]}}
  tile.epilogue core 0 %acc, %t -> %o channels = 8 clamp = [1.0] : memref<4x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<5x16xi32, "local">
  %r = tile.alloc core 0 : memref<4x16xi16, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.epilogue': residual must be stored as i8, is i16}}
  tile.epilogue core 0 %acc, %t residual %r -> %o channels = 8 : memref<4x16xi32, "acc">, memref<5x16xi32, "local">, memref<4x16xi16, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<5x16xi32, "local">
  %r = tile.alloc core 0 : memref<3x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.epilogue': residual has 3 rows, out has 4}}
  tile.epilogue core 0 %acc, %t residual %r -> %o channels = 8 : memref<4x16xi32, "acc">, memref<5x16xi32, "local">, memref<3x16xi8, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %acc = tile.alloc core 0 : memref<4x16xi32, "acc">
  %t = tile.alloc core 0 : memref<3x16xi32, "local">
  %r = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.epilogue': table must have 5 rows, has 3}}
  tile.epilogue core 0 %acc, %t residual %r -> %o channels = 8 : memref<4x16xi32, "acc">, memref<3x16xi32, "local">, memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<5x16xi8, "local">
  // expected-error @below {{'tile.convert': out has 5 rows, x has 4}}
  tile.convert core 0 %x -> %o columns = 4 : memref<4x16xi8, "local"> -> memref<5x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.convert': columns must be in 1 to 16, the pitch of x, got 17}}
  tile.convert core 0 %x -> %o columns = 17 : memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.convert': scale must be a positive number, got 0.0}}
  tile.convert core 0 %x -> %o columns = 4 scale = 0.0 : memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.convert': multiplier must be in 0 to 2^31 - 1, got -1}}
  tile.convert core 0 %x -> %o columns = 4 multiplier = -1 : memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.convert': shift must be in 0 to 62, got 63}}
  tile.convert core 0 %x -> %o columns = 4 shift = 63 : memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<5x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.binary': a [4, 16] and b [5, 16] do not broadcast to out [4, 16]}}
  tile.binary core 0 %a, %b -> %o kind = "add" : memref<4x16xi8, "local">, memref<5x16xi8, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<1x16xi8, "local">
  %o = tile.alloc core 0 : memref<5x16xi8, "local">
  // expected-error @below {{'tile.binary': a [4, 16] and b [1, 16] do not broadcast to out [5, 16]}}
  tile.binary core 0 %a, %b -> %o kind = "add" : memref<4x16xi8, "local">, memref<1x16xi8, "local"> -> memref<5x16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.binary': div is for floats, out is i8}}
  tile.binary core 0 %a, %b -> %o kind = "div" : memref<4x16xi8, "local">, memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error-re @below {{'tile.binary': kind must be one of add, sub, mul, div, {{.*}}, got 'pow'}}
  tile.binary core 0 %a, %b -> %o kind = "pow" : memref<4x16xi8, "local">, memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<4x16xi16, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.binary': b must be stored as i8, is i16}}
  tile.binary core 0 %a, %b -> %o kind = "add" : memref<4x16xi8, "local">, memref<4x16xi16, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<1x1x1x4x16xi8, "local">
  %b = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<1x1x1x4x16xi8, "local">
  // expected-error @below {{'tile.binary': out has 5 axes, at most 4 are allowed}}
  tile.binary core 0 %a, %b -> %o kind = "add" : memref<1x1x1x4x16xi8, "local">, memref<4x16xi8, "local"> -> memref<1x1x1x4x16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.binary': multiplier must be in 0 to 2^31 - 1, got -1}}
  tile.binary core 0 %a, %b -> %o kind = "add" multipliers = [-1, 0] : memref<4x16xi8, "local">, memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %a = tile.alloc core 0 : memref<4x16xi8, "local">
  %b = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.binary': shift must be in 0 to 62, got 63}}
  tile.binary core 0 %a, %b -> %o kind = "add" shift = 63 : memref<4x16xi8, "local">, memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x4x4x16xi8, "local">
  %o = tile.alloc core 0 : memref<1x2x2x16xi8, "local">
  // expected-error @below {{'tile.pool': kind must be one of max, average, got 'min'}}
  tile.pool core 0 %x -> %o kind = "min" kernel = [2, 2] : memref<1x4x4x16xi8, "local"> -> memref<1x2x2x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x4x4x16xi8, "local">
  %o = tile.alloc core 0 : memref<1x2x2x32xi8, "local">
  // expected-error @below {{'tile.pool': x [1, 4, 4, 16] and out [1, 2, 2, 32] must agree in images and, without 'columns', in pitch}}
  tile.pool core 0 %x -> %o kind = "max" kernel = [2, 2] : memref<1x4x4x16xi8, "local"> -> memref<1x2x2x32xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x4x4x16xi8, "local">
  %o = tile.alloc core 0 : memref<1x2x2x16xi16, "local">
  // expected-error @below {{'tile.pool': out must be stored as i8, is i16}}
  tile.pool core 0 %x -> %o kind = "max" kernel = [2, 2] : memref<1x4x4x16xi8, "local"> -> memref<1x2x2x16xi16, "local">
}

// -----

// Gaps between rows count.
tile.program @main {
  %a = tile.alloc core 0 : memref<4x32xi8, "local">
  %x = tile.view %a : memref<4x32xi8, "local"> -> memref<4x16xi8, strided<[32, 1]>, "local">
  %o = tile.alloc core 0 : memref<1x16xi8, "local">
  // expected-error @below {{'tile.reduce': sizes and strides reach element 135 of x, which has 112}}
  tile.reduce core 0 %x -> %o kind = "max" sizes = [1, 4, 16] strides = [0, 40] : memref<4x16xi8, strided<[32, 1]>, "local"> -> memref<1x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %o = tile.alloc core 0 : memref<2x16xi8, "local">
  // expected-error @below {{'tile.reduce': sizes and strides reach element 111 of x, which has 96}}
  tile.reduce core 0 %x -> %o kind = "mean" sizes = [2, 4, 16] strides = [48, 16] : memref<2x3x16xi8, "local"> -> memref<2x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %o = tile.alloc core 0 : memref<3x16xi8, "local">
  // expected-error @below {{'tile.reduce': out has 3 rows, expected 2}}
  tile.reduce core 0 %x -> %o kind = "max" sizes = [2, 3, 16] strides = [48, 16] : memref<2x3x16xi8, "local"> -> memref<3x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %o = tile.alloc core 0 : memref<2x16xi8, "local">
  // expected-error @below {{'tile.reduce': kind must be one of mean, sum, max, min, prod, l1, l2, sum_square, log_sum, log_sum_exp, got 'median'}}
  tile.reduce core 0 %x -> %o kind = "median" sizes = [2, 3, 16] strides = [48, 16] : memref<2x3x16xi8, "local"> -> memref<2x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %o = tile.alloc core 0 : memref<2x16xi8, "local">
  // expected-error @below {{'tile.reduce': prod is for floats, x is i8}}
  tile.reduce core 0 %x -> %o kind = "prod" sizes = [2, 3, 16] strides = [48, 16] : memref<2x3x16xi8, "local"> -> memref<2x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %i = tile.alloc core 0 : memref<6x1xi32, "local">
  %o = tile.alloc core 0 : memref<2x5x16xi8, "local">
  // expected-error @below {{'tile.resample': out must have shape [2, 6, 16], has [2, 5, 16]}}
  tile.resample core 0 %x, %i -> %o axis = 1 : memref<2x3x16xi8, "local">, memref<6x1xi32, "local"> -> memref<2x5x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %i = tile.alloc core 0 : memref<6x2xi32, "local">
  %o = tile.alloc core 0 : memref<2x6x16xi8, "local">
  // expected-error @below {{'tile.resample': without weight there is one tap, index has 2}}
  tile.resample core 0 %x, %i -> %o axis = 1 : memref<2x3x16xi8, "local">, memref<6x2xi32, "local"> -> memref<2x6x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %i = tile.alloc core 0 : memref<6x1xi8, "local">
  %o = tile.alloc core 0 : memref<2x6x16xi8, "local">
  // expected-error @below {{'tile.resample': index must be stored as i32, is i8}}
  tile.resample core 0 %x, %i -> %o axis = 1 : memref<2x3x16xi8, "local">, memref<6x1xi8, "local"> -> memref<2x6x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %i = tile.alloc core 0 : memref<6x1xi32, "local">
  %o = tile.alloc core 0 : memref<2x6x16xi8, "local">
  // expected-error @below {{'tile.resample': axis 3 is not one of 3 axes}}
  tile.resample core 0 %x, %i -> %o axis = 3 : memref<2x3x16xi8, "local">, memref<6x1xi32, "local"> -> memref<2x6x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xi8, "local">
  %i = tile.alloc core 0 : memref<6x2xi32, "local">
  %w = tile.alloc core 0 : memref<6x2xf32, "local">
  %o = tile.alloc core 0 : memref<2x6x16xi8, "local">
  // expected-error @below {{'tile.resample': interpolation is for floats, x is i8}}
  tile.resample core 0 %x, %i weight %w -> %o axis = 1 : memref<2x3x16xi8, "local">, memref<6x2xi32, "local">, memref<6x2xf32, "local"> -> memref<2x6x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x3x16xf32, "local">
  %i = tile.alloc core 0 : memref<6x2xi32, "local">
  %w = tile.alloc core 0 : memref<6x1xf32, "local">
  %o = tile.alloc core 0 : memref<2x6x16xf32, "local">
  // expected-error @below {{'tile.resample': weight must have the shape of index, [6, 2], has [6, 1]}}
  tile.resample core 0 %x, %i weight %w -> %o axis = 1 : memref<2x3x16xf32, "local">, memref<6x2xi32, "local">, memref<6x1xf32, "local"> -> memref<2x6x16xf32, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xi8, "local">
  %o = tile.alloc core 0 : memref<4x16xi8, "local">
  // expected-error @below {{'tile.softmax': x must be a float, is i8}}
  tile.softmax core 0 %x -> %o columns = 4 : memref<4x16xi8, "local"> -> memref<4x16xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xf32, "local">
  %o = tile.alloc core 0 : memref<4x16xf16, "local">
  // expected-error @below {{'tile.softmax': out must be stored as f32, is f16}}
  tile.softmax core 0 %x -> %o columns = 4 : memref<4x16xf32, "local"> -> memref<4x16xf16, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<4x16xf32, "local">
  %o = tile.alloc core 0 : memref<4x16xf32, "local">
  // expected-error @below {{'tile.softmax': columns must be in 1 to 16, the pitch of x, got 20}}
  tile.softmax core 0 %x -> %o columns = 20 : memref<4x16xf32, "local"> -> memref<4x16xf32, "local">
}

// -----

"tile.program"() <{sym_name = "main"}> ({
  %x = "tile.global"() <{name = "x", segment = "input", shape = array<i64: 1, 4>, order = array<i64: 0, 1>}> : () -> memref<1x4xf32, "global">
  %y = "tile.global"() <{name = "y", segment = "output", shape = array<i64: 1, 4>, order = array<i64: 0, 1>}> : () -> memref<1x4xf32, "global">
  // expected-error @below {{'tile.layer': body has 0 arguments for 1 inputs}}
  "tile.layer"(%x, %y) <{core = 0 : i64, window = array<i64: 0, 1, 0, 4>}> ({
    %r = "tpu.weight"() <{name = "r", seed = 1 : i64}> : () -> tensor<1x4xf32>
    "tile.yield"(%r) : (tensor<1x4xf32>) -> ()
  }) : (memref<1x4xf32, "global">, memref<1x4xf32, "global">) -> ()
}) : () -> ()

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  // expected-error @below {{'tile.layer': argument 0 must be a tensor, got memref<1x4xf32, "global">}}
  tile.layer core 0 (%a = %x : memref<1x4xf32, "global"> as memref<1x4xf32, "global">) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    %r = tpu.weight "r" seed = 1 : tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<1x4xf32, "acc">
  %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
  // expected-error @below {{'tile.layer': argument 0 cannot be in memory space "acc"}}
  tile.layer core 0 (%a = %x : memref<1x4xf32, "acc"> as tensor<1x4xf32>) -> %y : memref<1x4xf32, "global"> window = [0, 1, 0, 4] {
    %r = tpu.softmax "p" %a axis = 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    tile.yield %r : tensor<1x4xf32>
  }
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<f32, "local">
  %y = tile.alloc core 0 : memref<4xf32, "local">
  // expected-error @below {{'tile.softmax': x must have rows, has no axis}}
  tile.softmax core 0 %x -> %y columns = 1 : memref<f32, "local"> -> memref<4xf32, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xi8, "local">
  %o = tile.alloc core 0 : memref<6x48xi8, "local">
  // expected-error @below {{'tile.normalize': x must be a float, is i8}}
  tile.normalize core 0 %x -> %o kind = "rms" length = 48 epsilon = 0.0 : memref<6x48xi8, "local"> -> memref<6x48xi8, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x64xf32, "local">
  // expected-error @below {{'tile.normalize': out has rows of 64, x of 48}}
  tile.normalize core 0 %x -> %o kind = "rms" length = 48 epsilon = 0.0 : memref<6x48xf32, "local"> -> memref<6x64xf32, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<3x48xf32, "local">
  // expected-error @below {{'tile.normalize': out has 3 rows, x has 6}}
  tile.normalize core 0 %x -> %o kind = "rms" length = 48 epsilon = 0.0 : memref<6x48xf32, "local"> -> memref<3x48xf32, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x48xf32, "local">
  // expected-error @below {{'tile.normalize': length times inner must be in 1 to 48, the pitch of x, got 64}}
  tile.normalize core 0 %x -> %o kind = "rms" length = 4 inner = 16 epsilon = 0.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x48xf32, "local">
  // expected-error @below {{'tile.normalize': length and inner are at least 1, got 0, 1}}
  tile.normalize core 0 %x -> %o kind = "rms" length = 0 epsilon = 0.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x48xf32, "local">
  // expected-error @below {{'tile.normalize': epsilon must be a number that is not negative, got -1.0}}
  tile.normalize core 0 %x -> %o kind = "rms" length = 3 epsilon = -1.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x48xf32, "local">
  // expected-error @below {{'tile.normalize': kind must be one of mean_variance, rms, l1, l2, got 'max'}}
  tile.normalize core 0 %x -> %o kind = "max" length = 3 epsilon = 0.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x48xf32, "local">
  %t = tile.alloc core 0 : memref<2x4x1x1xf32, "local">
  // expected-error @below {{'tile.normalize': parameters [2, 4, 1, 1] do not divide [2, 6, 48, 1]}}
  tile.normalize core 0 %x parameters %t -> %o kind = "rms" length = 48 epsilon = 0.0 : memref<6x48xf32, "local">, memref<2x4x1x1xf32, "local"> -> memref<6x48xf32, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  %o = tile.alloc core 0 : memref<6x48xf32, "local">
  %t = tile.alloc core 0 : memref<2x1x48xf32, "local">
  // expected-error @below {{'tile.normalize': parameters must have 4 axes, has shape [2, 1, 48]}}
  tile.normalize core 0 %x parameters %t -> %o kind = "rms" length = 48 epsilon = 0.0 : memref<6x48xf32, "local">, memref<2x1x48xf32, "local"> -> memref<6x48xf32, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  // expected-error @below {{'tile.local_response_norm': size must be at least 1, got 0}}
  tile.local_response_norm core 0 %x -> %x columns = 37 size = 0 alpha = 0.5 beta = 0.75 offset = 1.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  // expected-error @below {{'tile.local_response_norm': columns must be in 1 to 48, the pitch of x, got 49}}
  tile.local_response_norm core 0 %x -> %x columns = 49 size = 3 alpha = 0.5 beta = 0.75 offset = 1.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<6x48xf32, "local">
  // expected-error @below {{'tile.local_response_norm': alpha must be a number, got inf}}
  tile.local_response_norm core 0 %x -> %x columns = 4 size = 3 alpha = 0x7FF0000000000000 beta = 0.75 offset = 1.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 8] order = [0, 1] : memref<4x8xf32, "global">
  %m = tile.global "m" segment = "scratch" shape = [4, 8] order = [1, 0] : memref<8x16xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 8] order = [0, 1] : memref<4x8xf32, "global">
  tile.layer (%a = %x : memref<4x8xf32, "global"> as tensor<4x8xf32>) -> %m : memref<8x16xf32, "global"> window = [0, 4, 0, 3] {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<4x8xf32>) -> tensor<4x8xf32>
    tile.yield %r : tensor<4x8xf32>
  }
  tile.layer (%a = %x : memref<4x8xf32, "global"> as tensor<4x8xf32>) -> %m : memref<8x16xf32, "global"> window = [0, 4, 5, 8] {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<4x8xf32>) -> tensor<4x8xf32>
    tile.yield %r : tensor<4x8xf32>
  }
  // expected-error @below {{'tile.layer': reads window [0, 4, 3, 5] of 'm', which no step above writes}}
  tile.layer (%a = %m : memref<8x16xf32, "global"> as tensor<4x8xf32>) -> %y : memref<4x8xf32, "global"> window = [0, 4, 0, 8] {
    %r = tpu.clamp "s" %a clamp_low = 0.0 : (tensor<4x8xf32>) -> tensor<4x8xf32>
    tile.yield %r : tensor<4x8xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 8] order = [0, 1] : memref<4x8xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 8] order = [0, 1] : memref<4x8xf32, "global">
  tile.layer (%a = %x : memref<4x8xf32, "global"> as tensor<4x8xf32>) -> %y : memref<4x8xf32, "global"> window = [0, 3, 0, 8] {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<4x8xf32>) -> tensor<4x8xf32>
    tile.yield %r : tensor<4x8xf32>
  }
  // expected-error @below {{'tile.layer': writes window [2, 3, 4, 8] of 'y', which a layer above writes, too}}
  tile.layer (%a = %x : memref<4x8xf32, "global"> as tensor<4x8xf32>) -> %y : memref<4x8xf32, "global"> window = [2, 4, 4, 8] {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<4x8xf32>) -> tensor<4x8xf32>
    tile.yield %r : tensor<4x8xf32>
  }
}

// -----

// A hole that is no window: of the last row, and of a column.
tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 8] order = [0, 1] : memref<4x8xf32, "global">
  // expected-error @below {{'tile.global': no step writes 11 elements in window [0, 4, 0, 8] of 'y', expected the steps to write every element of an output}}
  %y = tile.global "y" segment = "output" shape = [4, 8] order = [0, 1] : memref<4x8xf32, "global">
  tile.layer (%a = %x : memref<4x8xf32, "global"> as tensor<4x8xf32>) -> %y : memref<4x8xf32, "global"> window = [0, 3, 1, 8] {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<4x8xf32>) -> tensor<4x8xf32>
    tile.yield %r : tensor<4x8xf32>
  }
}

// -----

// The bytes that are not written through %b still hold those of %a.
tile.program @main {
  %a = tile.global "a" segment = "scratch" shape = [64] order = [0] address = 0 : memref<64xi8, "global">
  %b = tile.global "b" segment = "scratch" shape = [64] order = [0] address = 0 : memref<64xi8, "global">
  %t = tile.alloc core 0 : memref<64xi8, "local">
  tile.copy core 0 %t -> %a source_strides = [1] target_strides = [1] sizes = [64] : memref<64xi8, "local"> -> memref<64xi8, "global">
  tile.copy core 0 %a -> %t source_strides = [1] target_strides = [1] sizes = [64] : memref<64xi8, "global"> -> memref<64xi8, "local">
  tile.copy core 0 %t -> %b source_strides = [1] target_strides = [1] sizes = [48] : memref<64xi8, "local"> -> memref<64xi8, "global">
  // expected-error @below {{'tile.copy': reads window [48, 56] of 'b', which no step above writes}}
  tile.copy core 0 %b -> %t source_strides = [1] target_strides = [1] sizes = [56] : memref<64xi8, "global"> -> memref<64xi8, "local">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': only an input or output says 'model', 'scale' and 'zero_point', not a buffer of segment scratch}}
  %x = tile.global "x" segment = "scratch" shape = [4] order = [0] model = "f32" : memref<4xf16, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': 'scale' and 'zero_point' belong together, and to a 'model' type}}
  %x = tile.global "x" segment = "input" shape = [4] order = [0] model = "f32" scale = 0.5 : memref<4xi8, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': f32 cannot become i8 without a scale}}
  %x = tile.global "x" segment = "input" shape = [4] order = [0] model = "f32" : memref<4xi8, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': a scale turns floats into integers, not i32 into i8}}
  %x = tile.global "x" segment = "input" shape = [4] order = [0] model = "i32" scale = 0.5 zero_point = 0 : memref<4xi8, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': zero point 128 is beyond i8}}
  %x = tile.global "x" segment = "output" shape = [4] order = [0] model = "f32" scale = 0.5 zero_point = 128 : memref<4xi8, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': a scale is a positive number, not -0.5}}
  %x = tile.global "x" segment = "output" shape = [4] order = [0] model = "f32" scale = -0.5 zero_point = 0 : memref<4xi8, "global">
}

// -----

tile.program @main {
  // expected-error @below {{'tile.global': there is no storage type 'f12'}}
  %x = tile.global "x" segment = "output" shape = [4] order = [0] model = "f12" : memref<4xf16, "global">
}
