// RUN: smalti-opt %s --split-input-file --verify-diagnostics

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{a schedule has no field 'core': it has cores, split, windows, tile, depth, order, block, output, weights}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<core = [1]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{'cores' is given twice}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<cores = [1], cores = [2]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{'cores' is empty: it has a value for each part; leave it out to have it chosen}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<cores = []> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{'cores' has core 1 more than once, in [0, 1, 1]: each part has a core of its own}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<cores = [0, 1, 1]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{'cores' has numbers of at least 0, got [-1]}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<cores = [-1]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{'split' has numbers of at least 1, got [0, 1]}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<split = [0, 1]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{'tile' has sizes of at least 1, got [0, 1]}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<tile = [0, 1]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{'tile' mixes sizes and lists of sizes}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<tile = [1, [2]]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{'block' is at least 1, got 0}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<block = 0> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{numbers of a schedule have at most 32 bits, got 99999999999}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<block = 99999999999> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{the order is channels_outer or rows_outer, got 'inside_out'}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<order = inside_out> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{a schedule has 'split' or 'windows', not both}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<split = [1, 1], windows = [[0, 2, 0, 64]]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{'depth' has 3 values, the schedule has 2 parts}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<cores = [0, 1], depth = [1, 2, 3]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{'tile.layer': split must have 2 numbers, got [2]}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<split = [2]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{'tile.layer': a window of the schedule 0 to 3 of axis 0 is not inside the output's 0 to 2}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<windows = [[0, 3, 0, 64]]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{'tile.layer': a layer that has a core is one part: its schedule has no 'cores'}}
  tile.layer core 1 (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<cores = [1]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{'tile.layer': a layer that has a core is one part: its schedule has values for 2}}
  tile.layer core 1 (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<tile = [[2, 64], [1, 64]]> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{expected #tile.schedule<...>}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = array<i64: 1> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{the output is global or local or in_place, got 'here'}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<output = here> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 64] order = [0, 1] : memref<2x64xf32, "global">
  // expected-error @below {{the loading of weights is separate or multicast, got 'once'}}
  tile.layer (%a = %x : memref<2x64xf32, "global"> as tensor<2x64xf32>) -> %y : memref<2x64xf32, "global"> window = [0, 2, 0, 64] schedule = #tile.schedule<weights = once> {
    %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<2x64xf32>) -> tensor<2x64xf32>
    tile.yield %r : tensor<2x64xf32>
  }
}
