// RUN: smalti-opt %s | smalti-opt | filecheck %s
// RUN: smalti-opt %s --print-op-generic | smalti-opt | filecheck %s

tile.program @layers {
  %image = tile.global "image" segment = "input" shape = [1, 4, 8, 8] order = [0, 1, 2, 3] : memref<1x4x8x8xf32, "global">
  %x = tile.global "x" segment = "scratch" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] address = 256 : memref<1x8x8x16xi8, "global">
  tile.layer core 1 (%a = %image : memref<1x4x8x8xf32, "global"> as tensor<1x4x8x8xf32>) -> %x : memref<1x8x8x16xi8, "global"> window = [0, 1, 0, 4, 4, 8, 0, 8] {
    %r = tpu.cast "x" %a : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>
    tile.yield %r : tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  } loc("Quantize_0")
}
tile.program @tiles {
  %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %w = tile.global "w" segment = "weights" key = "w.packed" shape = [1, 36, 32] order = [0, 1, 2] address = 0 : memref<1x36x32xi8, "global">
  %y = tile.global "y" segment = "output" shape = [1, 8, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
  %lx = tile.alloc core 0 address = 0 : memref<1x8x8x16xi8, "local">
  %lw = tile.alloc core 0 : memref<1x36x32xi8, "local">
  %dw = tile.alloc core 0 : memref<9x16xi8, "local">
  %table = tile.alloc core 0 : memref<3x16xi32, "local">
  %table5 = tile.alloc core 0 : memref<6x16xi32, "local">
  %acc = tile.alloc core 0 address = 64 : memref<1x8x8x16xi32, "acc">
  %acc64 = tile.alloc core 0 : memref<1x8x8x16xi64, "acc">
  %out = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
  tile.copy core 0 %x -> %lx source_offset = 128 source_strides = [128, 16, 1] target_strides = [128, 16, 1] sizes = [4, 8, 4] pad = 12 pad_value = -3 : memref<1x8x8x16xi8, "global"> -> memref<1x8x8x16xi8, "local">
  tile.copy core 0 %w -> %lw source_strides = [1] target_strides = [1] sizes = [1152] group = 1 : memref<1x36x32xi8, "global"> -> memref<1x36x32xi8, "local">
  tile.fill core 0 -> %dw value = 1.0 : memref<9x16xi8, "local">
  tile.conv2d core 0 %lx, %lw -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] pad_value = -3 : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
  tile.depthwise_conv2d core 0 %lx, %dw -> %acc64 channels = [4, 4] kernel = [3, 3] strides = [1, 1] dilations = [2, 1] pads = [1, 1] groups = 4 accumulate : memref<1x8x8x16xi8, "local">, memref<9x16xi8, "local"> -> memref<1x8x8x16xi64, "acc">
  tile.epilogue core 0 %acc, %table -> %out channels = 8 zero_points = [0, -128] clamp = [-128.0, 127.0] : memref<1x8x8x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<1x8x8x16xi8, "local">
  tile.epilogue core 0 %acc64, %table5 residual %lx -> %out channels = 8 zero_points = [-3, -128] : memref<1x8x8x16xi64, "acc">, memref<6x16xi32, "local">, memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "local">
  tile.pool core 0 %lx -> %out kind = "average" kernel = [3, 3] pads = [1, 1, 1, 1] count_include_pad multiplier = 1073741824 shift = 30 zero_points = [-3, 4] : memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "local">
  tile.convert core 0 %lx -> %out columns = 4 multiplier = 1073741824 shift = 31 zero_points = [-3, 2] : memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "local">
  tile.binary core 0 %lx, %out -> %out kind = "add" zero_points = [-3, 2, 1] multipliers = [2097152, 2097152] shift = 21 : memref<1x8x8x16xi8, "local">, memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "local">
  tile.copy core 0 %out -> %y source_strides = [1] target_strides = [1] sizes = [1024] : memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "global">
}
tile.program @floats {
  %x = tile.alloc core 2 : memref<2x3x16xf32, "local">
  %w = tile.alloc core 2 : memref<1x1x10x16xf32, "local">
  %wt = tile.alloc core 2 : memref<2x1x16x16xf32, "local">
  %acc = tile.alloc core 2 : memref<2x3x16xf32, "acc">
  %table = tile.alloc core 2 : memref<1x16xf32, "local">
  %row = tile.alloc core 2 : memref<16xf32, "local">
  %mean = tile.alloc core 2 : memref<2x16xf32, "local">
  %i = tile.alloc core 2 : memref<6x2xi32, "local">
  %iw = tile.alloc core 2 : memref<6x2xf32, "local">
  %gi = tile.alloc core 2 : memref<6x1xi32, "local">
  %long = tile.alloc core 2 : memref<2x6x16xf32, "local">
  tile.matmul core 2 %x, %w -> %acc depth = 10 columns = 12 : memref<2x3x16xf32, "local">, memref<1x1x10x16xf32, "local"> -> memref<2x3x16xf32, "acc">
  tile.matmul core 2 %x, %wt -> %acc depth = 10 columns = 16 transpose_w accumulate : memref<2x3x16xf32, "local">, memref<2x1x16x16xf32, "local"> -> memref<2x3x16xf32, "acc">
  tile.epilogue core 2 %acc, %table -> %x channels = 12 clamp = [0.0, 0x7FF0000000000000] : memref<2x3x16xf32, "acc">, memref<1x16xf32, "local"> -> memref<2x3x16xf32, "local">
  tile.softmax core 2 %x -> %x columns = 12 log : memref<2x3x16xf32, "local"> -> memref<2x3x16xf32, "local">
  tile.binary core 2 %x, %row -> %x kind = "div" : memref<2x3x16xf32, "local">, memref<16xf32, "local"> -> memref<2x3x16xf32, "local">
  tile.reduce core 2 %x -> %mean kind = "mean" sizes = [2, 3, 12] strides = [48, 16] : memref<2x3x16xf32, "local"> -> memref<2x16xf32, "local">
  tile.resample core 2 %x, %i weight %iw -> %long axis = 1 : memref<2x3x16xf32, "local">, memref<6x2xi32, "local">, memref<6x2xf32, "local"> -> memref<2x6x16xf32, "local">
  tile.resample core 2 %x, %gi -> %long axis = 1 : memref<2x3x16xf32, "local">, memref<6x1xi32, "local"> -> memref<2x6x16xf32, "local">
}

// CHECK:      builtin.module {
// CHECK-NEXT:   tile.program @layers {
// CHECK-NEXT:     %image = tile.global "image" segment = "input" shape = [1, 4, 8, 8] order = [0, 1, 2, 3] : memref<1x4x8x8xf32, "global">
// CHECK-NEXT:     %x = tile.global "x" segment = "scratch" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] address = 256 : memref<1x8x8x16xi8, "global">
// CHECK-NEXT:     tile.layer core 1 (%a = %image : memref<1x4x8x8xf32, "global"> as tensor<1x4x8x8xf32>) -> %x : memref<1x8x8x16xi8, "global"> window = [0, 1, 0, 4, 4, 8, 0, 8] {
// CHECK-NEXT:       %r = tpu.cast "x" %a : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>
// CHECK-NEXT:       tile.yield %r : tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   tile.program @tiles {
// CHECK-NEXT:     %x = tile.global "x" segment = "input" shape = [1, 4, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
// CHECK-NEXT:     %w = tile.global "w" segment = "weights" key = "w.packed" shape = [1, 36, 32] order = [0, 1, 2] address = 0 : memref<1x36x32xi8, "global">
// CHECK-NEXT:     %y = tile.global "y" segment = "output" shape = [1, 8, 8, 8] order = [0, 2, 3, 1] : memref<1x8x8x16xi8, "global">
// CHECK-NEXT:     %lx = tile.alloc core 0 address = 0 : memref<1x8x8x16xi8, "local">
// CHECK-NEXT:     %lw = tile.alloc core 0 : memref<1x36x32xi8, "local">
// CHECK-NEXT:     %dw = tile.alloc core 0 : memref<9x16xi8, "local">
// CHECK-NEXT:     %table = tile.alloc core 0 : memref<3x16xi32, "local">
// CHECK-NEXT:     %table5 = tile.alloc core 0 : memref<6x16xi32, "local">
// CHECK-NEXT:     %acc = tile.alloc core 0 address = 64 : memref<1x8x8x16xi32, "acc">
// CHECK-NEXT:     %acc64 = tile.alloc core 0 : memref<1x8x8x16xi64, "acc">
// CHECK-NEXT:     %out = tile.alloc core 0 : memref<1x8x8x16xi8, "local">
// CHECK-NEXT:     tile.copy core 0 %x -> %lx source_offset = 128 source_strides = [128, 16, 1] target_strides = [128, 16, 1] sizes = [4, 8, 4] pad = 12 pad_value = -3 : memref<1x8x8x16xi8, "global"> -> memref<1x8x8x16xi8, "local">
// CHECK-NEXT:     tile.copy core 0 %w -> %lw source_strides = [1] target_strides = [1] sizes = [1152] group = 1 : memref<1x36x32xi8, "global"> -> memref<1x36x32xi8, "local">
// CHECK-NEXT:     tile.fill core 0 -> %dw value = 1.0 : memref<9x16xi8, "local">
// CHECK-NEXT:     tile.conv2d core 0 %lx, %lw -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1] pad_value = -3 : memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
// CHECK-NEXT:     tile.depthwise_conv2d core 0 %lx, %dw -> %acc64 channels = [4, 4] kernel = [3, 3] dilations = [2, 1] pads = [1, 1] groups = 4 accumulate : memref<1x8x8x16xi8, "local">, memref<9x16xi8, "local"> -> memref<1x8x8x16xi64, "acc">
// CHECK-NEXT:     tile.epilogue core 0 %acc, %table -> %out channels = 8 zero_points = [0, -128] clamp = [-128.0, 127.0] : memref<1x8x8x16xi32, "acc">, memref<3x16xi32, "local"> -> memref<1x8x8x16xi8, "local">
// CHECK-NEXT:     tile.epilogue core 0 %acc64, %table5 residual %lx -> %out channels = 8 zero_points = [-3, -128] : memref<1x8x8x16xi64, "acc">, memref<6x16xi32, "local">, memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "local">
// CHECK-NEXT:     tile.pool core 0 %lx -> %out kind = "average" kernel = [3, 3] pads = [1, 1, 1, 1] count_include_pad multiplier = 1073741824 shift = 30 zero_points = [-3, 4] : memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "local">
// CHECK-NEXT:     tile.convert core 0 %lx -> %out columns = 4 multiplier = 1073741824 shift = 31 zero_points = [-3, 2] : memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "local">
// CHECK-NEXT:     tile.binary core 0 %lx, %out -> %out kind = "add" zero_points = [-3, 2, 1] multipliers = [2097152, 2097152] shift = 21 : memref<1x8x8x16xi8, "local">, memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "local">
// CHECK-NEXT:     tile.copy core 0 %out -> %y source_strides = [1] target_strides = [1] sizes = [1024] : memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "global">
// CHECK-NEXT:   }
// CHECK-NEXT:   tile.program @floats {
// CHECK-NEXT:     %x = tile.alloc core 2 : memref<2x3x16xf32, "local">
// CHECK-NEXT:     %w = tile.alloc core 2 : memref<1x1x10x16xf32, "local">
// CHECK-NEXT:     %wt = tile.alloc core 2 : memref<2x1x16x16xf32, "local">
// CHECK-NEXT:     %acc = tile.alloc core 2 : memref<2x3x16xf32, "acc">
// CHECK-NEXT:     %table = tile.alloc core 2 : memref<1x16xf32, "local">
// CHECK-NEXT:     %row = tile.alloc core 2 : memref<16xf32, "local">
// CHECK-NEXT:     %mean = tile.alloc core 2 : memref<2x16xf32, "local">
// CHECK-NEXT:     %i = tile.alloc core 2 : memref<6x2xi32, "local">
// CHECK-NEXT:     %iw = tile.alloc core 2 : memref<6x2xf32, "local">
// CHECK-NEXT:     %gi = tile.alloc core 2 : memref<6x1xi32, "local">
// CHECK-NEXT:     %long = tile.alloc core 2 : memref<2x6x16xf32, "local">
// CHECK-NEXT:     tile.matmul core 2 %x, %w -> %acc depth = 10 columns = 12 : memref<2x3x16xf32, "local">, memref<1x1x10x16xf32, "local"> -> memref<2x3x16xf32, "acc">
// CHECK-NEXT:     tile.matmul core 2 %x, %wt -> %acc depth = 10 columns = 16 transpose_w accumulate : memref<2x3x16xf32, "local">, memref<2x1x16x16xf32, "local"> -> memref<2x3x16xf32, "acc">
// CHECK-NEXT:     tile.epilogue core 2 %acc, %table -> %x channels = 12 clamp = [0.0, 0x7FF0000000000000] : memref<2x3x16xf32, "acc">, memref<1x16xf32, "local"> -> memref<2x3x16xf32, "local">
// CHECK-NEXT:     tile.softmax core 2 %x -> %x columns = 12 log : memref<2x3x16xf32, "local"> -> memref<2x3x16xf32, "local">
// CHECK-NEXT:     tile.binary core 2 %x, %row -> %x kind = "div" : memref<2x3x16xf32, "local">, memref<16xf32, "local"> -> memref<2x3x16xf32, "local">
// CHECK-NEXT:     tile.reduce core 2 %x -> %mean kind = "mean" sizes = [2, 3, 12] strides = [48, 16] : memref<2x3x16xf32, "local"> -> memref<2x16xf32, "local">
// CHECK-NEXT:     tile.resample core 2 %x, %i weight %iw -> %long axis = 1 : memref<2x3x16xf32, "local">, memref<6x2xi32, "local">, memref<6x2xf32, "local"> -> memref<2x6x16xf32, "local">
// CHECK-NEXT:     tile.resample core 2 %x, %gi -> %long axis = 1 : memref<2x3x16xf32, "local">, memref<6x1xi32, "local"> -> memref<2x6x16xf32, "local">
// CHECK-NEXT:   }
// CHECK-NEXT: }
