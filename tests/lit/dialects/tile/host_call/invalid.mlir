// RUN: smalti-opt %s --split-input-file --verify-diagnostics

tile.program @local {
  %x = tile.global "x" segment = "input" shape = [2, 10] order = [0, 1] : memref<2x10xf32, "global">
  %y = tile.alloc core 0 : memref<2x1xi64, "local">
  // expected-error @below {{'tile.host_call': out must be in memory space "global", is in "local"}}
  tile.host_call core 0 %x -> %y function = "argmax" attributes = {axis = 1} : memref<2x10xf32, "global"> -> memref<2x1xi64, "local">
}

// -----

tile.program @function {
  %x = tile.global "x" segment = "input" shape = [2, 10] order = [0, 1] : memref<2x10xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 1] order = [0, 1] : memref<2x1xi64, "global">
  // expected-error @below {{'tile.host_call': there is no function 'argmac' (did you mean 'argmax'?)}}
  tile.host_call core 0 %x -> %y function = "argmac" attributes = {axis = 1} : memref<2x10xf32, "global"> -> memref<2x1xi64, "global">
}

// -----

tile.program @operands {
  %x = tile.global "x" segment = "input" shape = [2, 10] order = [0, 1] : memref<2x10xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 1] order = [0, 1] : memref<2x1xi64, "global">
  // expected-error @below {{'tile.host_call': argmax: axis 2 is none of a tensor of 2 axes}}
  tile.host_call core 0 %x -> %y function = "argmax" attributes = {axis = 2} : memref<2x10xf32, "global"> -> memref<2x1xi64, "global">
}

// -----

tile.program @result {
  %x = tile.global "x" segment = "input" shape = [2, 10] order = [0, 1] : memref<2x10xf32, "global">
  %y = tile.global "y" segment = "output" shape = [2, 2] order = [0, 1] : memref<2x2xi64, "global">
  // expected-error @below {{'tile.host_call': out is i64[2, 2], the function gives i64[2, 1]}}
  tile.host_call core 0 %x -> %y function = "argmax" attributes = {axis = 1} : memref<2x10xf32, "global"> -> memref<2x2xi64, "global">
}

// -----

tile.program @segment {
  %x = tile.global "x" segment = "input" shape = [4] order = [0] : memref<4xi64, "global">
  %s = tile.global "s" segment = "scratch" shape = [4] order = [0] : memref<4xi64, "global">
  %y = tile.global "y" segment = "output" shape = [4] order = [0] : memref<4xi64, "global">
  // expected-error @below {{'tile.host_call': the operands of a call that are no weights lie side by side in one segment, these are in scratch, input}}
  tile.host_call core 0 %s, %x -> %y function = "add" : memref<4xi64, "global">, memref<4xi64, "global"> -> memref<4xi64, "global">
}

// -----

tile.program @twice {
  %s = tile.global "s" segment = "scratch" shape = [4] order = [0] : memref<4xi64, "global">
  %y = tile.global "y" segment = "output" shape = [4] order = [0] : memref<4xi64, "global">
  // expected-error @below {{'tile.host_call': a buffer is two operands of the call: copy it}}
  tile.host_call core 0 %s, %s -> %y function = "add" : memref<4xi64, "global">, memref<4xi64, "global"> -> memref<4xi64, "global">
}
