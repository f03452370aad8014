// RUN: smalti-opt %s --split-input-file --verify-diagnostics -p tile-plan

// What a schedule says and cannot be carried out is told, with what would do.

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: its schedule has core 8, target 'default-8c' has 8 cores}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<cores = [8]> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: its schedule has 2 cores for 4 parts}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<cores = [0, 1], split = [1, 1, 4, 1]> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: its schedule has 4 parts, and values for 2}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<split = [1, 1, 4, 1], depth = [64, 16]> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: its output cannot be divided into 13 equal parts}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<depth = [16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16]> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: axis 1 of 128 elements cannot be divided into 16 equal parts}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<split = [1, 16, 1, 1]> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: its schedule has 56 parts for 8 cores}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<split = [1, 1, 56, 1]> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: axis 0 of 1 elements cannot be divided into 2 equal parts}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<split = [2, 1, 1, 1]> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: a window of its schedule is 0 to 72 along axis 1, which can be divided at multiples of 16}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<windows = [[0, 1, 0, 72, 0, 56, 0, 56], [0, 1, 72, 128, 0, 56, 0, 56]]> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: tile [1, 128, 56, 56] does not fit the core's memories}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<cores = [0], tile = [1, 128, 56, 56]> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: tile [1, 128, 56] has 3 sizes, the layer has 4 loops}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<cores = [0], tile = [1, 128, 56]> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: tile [1, 24, 1, 56] has size 24 along loop 1, which must be a multiple of 16, or whole (128)}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<cores = [0], tile = [1, 24, 1, 56], block = 16> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: depth 24 is no multiple of 16 (a lane group)}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<cores = [0], depth = 24> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: block 256 does not suit the layer}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<cores = [0], block = 256> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: block 3 does not suit the layer}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<block = 3> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: block 48 does not suit the layer, whose parts begin at channel 0, 64}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<split = [1, 2, 1, 1], block = 48> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}

// -----

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 64, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x64xi8, "global">
    %w = tile.global "w" segment = "weights" seed = 1 shape = [128, 64, 3, 3] order = [0, 1, 2, 3] : memref<128x64x3x3xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 128, 56, 56] order = [0, 2, 3, 1] : memref<1x56x56x128xi8, "global">
    // expected-error @below {{tpu.conv2d: tile [1, 64, 57, 56] has size 57 along loop 2, the whole layer has 56}}
    tile.layer (%a = %x : memref<1x56x56x64xi8, "global"> as tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, %b = %w : memref<128x64x3x3xi8, "global"> as tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> %y : memref<1x56x56x128xi8, "global"> window = [0, 1, 0, 128, 0, 56, 0, 56] schedule = #tile.schedule<tile = [1, 64, 57, 56]> {
      %c = tpu.conv2d "c" %a, %b strides = [1, 1] pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
      tile.yield %c : tensor<1x128x56x56x!quant.uniform<i8:f32, 0.1:-128>>
    }
  }
}
