// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/set.schedule}" | filecheck %s
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-plan{cores=2},tile-set-schedules{file=%S/Inputs/set.schedule}" | filecheck %s --check-prefix OVER
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/set.schedule},tile-plan" | filecheck %s --check-prefix PLAN
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/other_target.schedule}" 2>&1 | filecheck %s --check-prefix TARGET
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/other_network.schedule}" 2>&1 | filecheck %s --check-prefix NETWORK
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/no_layer.schedule}" 2>&1 | filecheck %s --check-prefix NO-LAYER
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/misfit.schedule}" 2>&1 | filecheck %s --check-prefix MISFIT
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/wrong_rank.schedule}" 2>&1 | filecheck %s --check-prefix RANK
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/wrong_field.schedule}" 2>&1 | filecheck %s --check-prefix FIELD
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/none.schedule}" 2>&1 | filecheck %s --check-prefix NONE
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-plan,tile-split-over-cores,tile-set-schedules{file=%S/Inputs/set.schedule}" 2>&1 | filecheck %s --check-prefix SPLIT
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-plan,tile-split-over-cores,tile-cut-to-local-memory,tile-set-schedules{file=%S/Inputs/set.schedule}" 2>&1 | filecheck %s --check-prefix TILED

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%image: tensor<1x64x28x28xf32>) -> tensor<1x128x14x14xf32> attributes {smalti.inputs = ["image"], smalti.outputs = ["out"]} {
    %q = tpu.cast "cast[1]" %image : (tensor<1x64x28x28xf32>) -> tensor<1x64x28x28x!quant.uniform<i8:f32, 0.05:-1>>
    %w = tpu.weight "w" seed = 1 : tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %v = tpu.weight "v" seed = 2 : tensor<128x128x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %a = tpu.conv2d "conv.1" %q, %w strides = [2, 2] pads = [1, 1, 1, 1] accumulator = "i32" clamp_low = 0.0 : (tensor<1x64x28x28x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x14x14x!quant.uniform<i8:f32, 0.1:-128>>
    %b = tpu.conv2d "conv.2" %a, %v strides = [1, 1] pads = [0, 0, 0, 0] accumulator = "i32" clamp_low = 0.0 : (tensor<1x128x14x14x!quant.uniform<i8:f32, 0.1:-128>>, tensor<128x128x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x14x14x!quant.uniform<i8:f32, 0.2:-128>>
    %y = tpu.cast "out" %b : (tensor<1x128x14x14x!quant.uniform<i8:f32, 0.2:-128>>) -> tensor<1x128x14x14xf32>
    func.return %y : tensor<1x128x14x14xf32>
  }
}

// A layer of the name "cast[1]" exists, so that this is no glob. `windows` take the place of `split`.
// CHECK: -> %cast {{.*}} schedule = #tile.schedule<cores = [5], split = [1, 1, 1, 1], tile = [1, 64, 14, 28], output = local> {
// CHECK: -> %conv {{.*}} schedule = #tile.schedule<split = [1, 1, 4, 2], tile = [1, 64, 7, 14], output = local, weights = separate> {
// CHECK: -> %conv_1 {{.*}} schedule = #tile.schedule<windows = {{\[\[}}0, 1, 0, 64, 0, 14, 0, 14], [0, 1, 64, 128, 0, 14, 0, 14]], tile = {{\[\[}}1, 64, 7, 14], [1, 32, 14, 14]], output = local, weights = separate> {
// CHECK: -> %out {{.*}} window = [0, 1, 0, 128, 0, 14, 0, 14] {

// What the layers' schedules say already stays where the file says nothing.
// OVER: -> %conv {{.*}} schedule = #tile.schedule<cores = [0, 1], split = [1, 1, 4, 2], tile = [1, 64, 7, 14], depth = 64, order = channels_outer, block = 64, output = local, weights = separate, activations = multicast> {
// OVER: -> %out {{.*}} schedule = #tile.schedule<cores = [0, 1], split = [1, 1, 2, 1], tile = [1, 128, 1, 14], output = global> {

// What nobody says is chosen.
// PLAN: -> %conv {{.*}} schedule = #tile.schedule<cores = [0, 1, 2, 3, 4, 5, 6, 7], split = [1, 1, 4, 2], tile = [1, 64, 4, 7], depth = 64, order = channels_outer, block = 64, output = local, weights = separate, activations = multicast> {
// PLAN: -> %conv_1 {{.*}} schedule = #tile.schedule<cores = [0, 1], windows = {{\[\[}}0, 1, 0, 64, 0, 14, 0, 14], [0, 1, 64, 128, 0, 14, 0, 14]], tile = {{\[\[}}1, 64, 7, 14], [1, 32, 14, 14]], depth = [128, 128], order = [channels_outer, channels_outer], block = 64, output = local, weights = separate, activations = multicast> {

// TARGET:      other_target.schedule:1:1: error: this schedule is for target 'edge-1c', the program is for 'default-8c'
// TARGET-NEXT: schedule for network "main" target "edge-1c"
// TARGET-NEXT: ^
// TARGET-NEXT: hint: compile for that target, or delete this line to try the schedule here

// NETWORK:      other_network.schedule:1:1: error: this schedule is for another network: 'main' sha256:0123456789abcdef, this is 'main' sha256:a9c1cedf7c8aad86
// NETWORK:      note: the hash covers names, ops, shapes and number formats of the layers, in their order
// NETWORK-NEXT: other_network.schedule:3:1: note: 'conv.7' matches no layer here
// NETWORK:      hint: take the schedule of this network, or delete this line to use what fits

// NO-LAYER: no_layer.schedule:2:1: error: there is no layer 'conv1'
// NO-LAYER: no_layer.schedule:3:1: note: 'fc*' matches no layer here
// NO-LAYER: hint: did you mean conv.1 or conv.2?

// MISFIT: misfit.schedule:3:1: error: this does not fit layer 'conv.2': 'depth' has 3 values, the schedule has 2 parts

// RANK: wrong_rank.schedule:1:1: error: this does not fit layer 'cast[1]': split must have 4 numbers, got [1, 2]

// FIELD:      wrong_field.schedule:2:11: error: a schedule has no field 'tiles': it has cores, split, windows, tile, depth, order, block, output, weights
// FIELD-NEXT:          tiles = [1, 64, 14, 56]>
// FIELD-NEXT:          ^
// FIELD-NEXT: hint: did you mean tile?

// NONE: none.schedule: error: cannot read the schedule: No such file or directory

// SPLIT: set.schedule:7:1: error: this does not fit layer 'cast[1]': a layer that has a core is one part: its schedule has no 'cores'

// TILED:      set.schedule:4:1: error: the program has no layers that a schedule could be for: it is tiled already
// TILED:      hint: give the schedule before tile-cut-to-local-memory runs
