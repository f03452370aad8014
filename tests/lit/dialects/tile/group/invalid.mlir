// RUN: smalti-opt %s --split-input-file --verify-diagnostics

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  // expected-error @below {{a group has no field 'slice': it has first, axis, slices, halos, order}}
  tile.group #tile.group<axis = 0, slice = 2> {
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  // expected-error @below {{a group must have 'slices'}}
  tile.group #tile.group<axis = 0> {
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  // expected-error @below {{'axis' of a group is at least 0, got -1}}
  tile.group #tile.group<axis = -1, slices = 2> {
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  // expected-error @below {{'slices' of a group is at least 1, got 0}}
  tile.group #tile.group<axis = 0, slices = 0> {
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  // expected-error @below {{the halos is kept or recomputed, got 'lost'}}
  tile.group #tile.group<axis = 0, slices = 2, halos = lost> {
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  // expected-error @below {{a group that is an op has no 'first': the layers stand in it}}
  tile.group #tile.group<first = "a", axis = 0, slices = 2> {
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  // expected-error @below {{axis must be at most 1, the last of the last layer's output, got 2}}
  tile.group #tile.group<axis = 2, slices = 2> {
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  // expected-error @below {{slices must be at most 4, the size of axis 0 of the last layer's output, got 5}}
  tile.group #tile.group<axis = 0, slices = 5> {
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  // expected-error @below {{has no layers}}
  tile.group #tile.group<axis = 0, slices = 2> {
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  // expected-error @below {{holds tile.global, a group has only layers}}
  tile.group #tile.group<axis = 0, slices = 2> {
    %g = tile.global "g" segment = "scratch" shape = [4] order = [0] : memref<4xf32, "global">
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  tile.group #tile.group<axis = 0, slices = 2> {
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    // expected-error @below {{has a core: a layer of a group is divided when the group is}}
    tile.layer core 0 (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  tile.group #tile.group<axis = 0, slices = 2> {
    // expected-error @below {{has a slice: a layer of a group is divided when the group is}}
    tile.layer slice 0 (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  tile.group #tile.group<axis = 0, slices = 2> {
    // expected-error @below {{window must be [0, 4, 0, 64]: a group has whole layers, got [0, 2, 0, 64]}}
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 2, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  tile.group #tile.group<axis = 0, slices = 2> {
    // expected-error @below {{its schedule has 'windows': a layer of a group has other windows in each slice, say 'split'}}
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] schedule = #tile.schedule<windows = [[0, 4, 0, 64]]> {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  tile.group #tile.group<axis = 0, slices = 2> {
    // expected-error @below {{writes a network's output: only the last layer of a group may}}
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  tile.group #tile.group<axis = 0, slices = 2> {
    // expected-error @below {{'a' is read outside the group: only the output of a group's last layer may be}}
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %b : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "b" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
  tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
    %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
    tile.yield %r : tensor<4x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  tile.group #tile.group<axis = 0, slices = 2> {
    // expected-error @below {{no layer of the group that follows reads 'a': take the layer out of the group}}
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
    tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
      %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
      tile.yield %r : tensor<4x64xf32>
    }
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  // expected-error @below {{slice must be at least 0, got -1}}
  tile.layer slice -1 (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
    %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
    tile.yield %r : tensor<4x64xf32>
  }
  tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
    %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
    tile.yield %r : tensor<4x64xf32>
  }
}

// -----

// Layers of one slice write different elements.
tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  tile.layer slice 0 (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
    %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
    tile.yield %r : tensor<4x64xf32>
  }
  // expected-error @below {{writes window [2, 4, 0, 64] of 'a', which a layer above writes, too}}
  tile.layer slice 0 (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %a : memref<4x64xf32, "global"> window = [2, 4, 0, 64] {
    %r = tpu.unary "a" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
    tile.yield %r : tensor<4x64xf32>
  }
  tile.layer (%i = %a : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] {
    %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
    tile.yield %r : tensor<4x64xf32>
  }
}

// -----

tile.program @main {
  %x = tile.global "x" segment = "input" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %a = tile.global "a" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %b = tile.global "b" segment = "scratch" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  %y = tile.global "y" segment = "output" shape = [4, 64] order = [0, 1] : memref<4x64xf32, "global">
  // expected-error @below {{a schedule in the IR has no 'group': the layers of a group stand in a tile.group}}
  tile.layer (%i = %x : memref<4x64xf32, "global"> as tensor<4x64xf32>) -> %y : memref<4x64xf32, "global"> window = [0, 4, 0, 64] schedule = #tile.schedule<group = <first = "y", axis = 0, slices = 2>> {
    %r = tpu.unary "y" %i kind = "exp" : (tensor<4x64xf32>) -> tensor<4x64xf32>
    tile.yield %r : tensor<4x64xf32>
  }
}
