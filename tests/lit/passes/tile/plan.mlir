// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-plan" | filecheck %s
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-plan{cores=2}" | filecheck %s --check-prefix TWO
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-plan{on_chip=false}" | filecheck %s --check-prefix GLOBAL
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-plan{multicast_weights=false}" | filecheck %s --check-prefix SEPARATE
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-plan{splits=by-layer}" | filecheck %s --check-prefix ALONE
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-plan{parts=4}" | filecheck %s --check-prefix FOUR
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-plan{splits=by-layers}" 2>&1 | filecheck %s --check-prefix SPLITS
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-plan{parts=0}" 2>&1 | filecheck %s --check-prefix PARTS
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-plan{lanes=0}" 2>&1 | filecheck %s --check-prefix LANES
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-plan{memory=100}" 2>&1 | filecheck %s --check-prefix MEMORY
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-plan{lanes=16 memory=131072 groups=false}" | filecheck %s --check-prefix LESS
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-plan,tile-split-over-cores" | filecheck %s --check-prefix SPLIT
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-plan,tile-plan{cores=2}" | filecheck %s

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%image: tensor<1x64x56x56xf32>) -> tensor<1x128xf32> attributes {smalti.inputs = ["image"], smalti.outputs = ["out"]} {
    %q = tpu.cast "q" %image : (tensor<1x64x56x56xf32>) -> tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>
    %w = tpu.weight "w" seed = 1 : tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %c = tpu.conv2d "c" %q, %w strides = [2, 2] pads = [1, 1, 1, 1] accumulator = "i32" clamp_low = 0.0 : (tensor<1x64x56x56x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x28x28x!quant.uniform<i8:f32, 0.1:-128>>
    %m = tpu.reduce "m" %c kind = "mean" axes = [2, 3] : (tensor<1x128x28x28x!quant.uniform<i8:f32, 0.1:-128>>) -> tensor<1x128x!quant.uniform<i8:f32, 0.1:-128>>
    %y = tpu.cast "y" %m : (tensor<1x128x!quant.uniform<i8:f32, 0.1:-128>>) -> tensor<1x128xf32>
    func.return %y : tensor<1x128xf32>
  }
}

// Outputs stay where they are computed, but for the network's. The convolution is divided over a grid; its cores need the
// same weights, and load them at once. A second pass changes nothing.
// CHECK: -> %q {{.*}} schedule = #tile.schedule<cores = [0, 1, 2, 3, 4, 5, 6, 7], split = [1, 1, 8, 1], tile = [1, 64, 2, 56], output = local, activations = multicast> {
// CHECK: -> %c {{.*}} schedule = #tile.schedule<cores = [0, 2, 4, 6, 1, 3, 5, 7], split = [1, 2, 4, 1], tile = [1, 64, 3, 28], depth = 64, order = channels_outer, block = 64, output = local, weights = multicast, activations = multicast> {
// CHECK: -> %m {{.*}} schedule = #tile.schedule<cores = [0, 1], split = [1, 2], tile = [1, 64], output = local, activations = multicast> {
// CHECK: -> %out {{.*}} schedule = #tile.schedule<cores = [0, 1], split = [1, 2], tile = [1, 64], output = global> {

// Each core may load them by itself. Cores with neighboring channels of a position stand side by side.
// SEPARATE: -> %c {{.*}} schedule = #tile.schedule<cores = [0, 2, 4, 6, 1, 3, 5, 7], split = [1, 2, 4, 1], tile = [1, 64, 3, 28], depth = 64, order = channels_outer, block = 64, output = local, weights = separate, activations = multicast> {

// TWO: -> %c {{.*}} schedule = #tile.schedule<cores = [0, 1], split = [1, 2, 1, 1],

// Through global memory, fewer cores keep the bus busy.
// GLOBAL: -> %q {{.*}} schedule = #tile.schedule<cores = [0, 1, 2, 3], split = [1, 1, 4, 1], tile = [1, 64, 3, 56], output = global> {
// GLOBAL: -> %c {{.*}} schedule = #tile.schedule<cores = [0, 1, 2, 3, 4, 5, 6, 7], split = [1, 1, 2, 4], tile = [1, 64, 14, 7], depth = 64, order = channels_outer, block = 64, output = global, weights = multicast> {

// What is best for each layer alone may not fit together: the mean has its input on other cores.
// ALONE: -> %q {{.*}} schedule = #tile.schedule<cores = [0, 2, 4, 6, 1, 3, 5, 7], split = [1, 2, 4, 1],
// ALONE: -> %c {{.*}} schedule = #tile.schedule<cores = [0, 1, 2, 3, 4, 5, 6, 7], split = [1, 1, 2, 4],
// ALONE: -> %m {{.*}} schedule = #tile.schedule<cores = [0, 1, 2, 3, 4, 5, 6, 7], split = [1, 8],

// FOUR: -> %q {{.*}} schedule = #tile.schedule<cores = [0, 1, 2, 3], split = [1, 1, 4, 1],
// FOUR: -> %c {{.*}} schedule = #tile.schedule<cores = [0, 1, 2, 3], split = [1, 1, 4, 1],

// SPLITS:      pass 'tile-plan': error: option 'splits' is by-layers, expected one of together, by-layer
// SPLITS-NEXT: hint: did you mean by-layer?

// PARTS: pass 'tile-plan': error: option 'parts' is at least 1, got 0
// LANES: pass 'tile-plan': error: option 'lanes' is at least 1, got 0
// MEMORY: pass 'tile-plan': error: option 'memory' is at least 1024, got 100

// Planned as for fewer lanes and less local memory, layers have smaller tiles.
// LESS: -> %c {{.*}} schedule = #tile.schedule<cores = [0, 1, 2, 3, 4, 5, 6, 7], split = [1, 1, 2, 4], tile = [1, 64, 7, 7],

// A part of a layer keeps what the schedule says of its tiles.
// SPLIT: tile.layer core 2 {{.*}} -> %c {{.*}} window = [0, 1, 0, 64, 7, 14, 0, 28] schedule = #tile.schedule<tile = [1, 64, 3, 28], depth = 64, order = channels_outer, block = 64, output = local, weights = multicast, activations = multicast> {
