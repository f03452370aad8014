// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/group.schedule}" | filecheck %s
// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/group.schedule},tile-plan,tile-slice-groups,tile-split-over-cores,tile-cut-to-local-memory" | filecheck %s --check-prefix TILES
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/no_first.schedule}" 2>&1 | filecheck %s --check-prefix FIRST
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/no_axis.schedule}" 2>&1 | filecheck %s --check-prefix AXIS
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/two_groups.schedule}" 2>&1 | filecheck %s --check-prefix TWO
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/wrong_field.schedule}" 2>&1 | filecheck %s --check-prefix FIELD
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/too_many.schedule},tile-plan" 2>&1 | filecheck %s --check-prefix MANY
// RUN: not smalti-opt %s -p "convert-tpu-to-tile,tile-set-schedules{file=%S/Inputs/group.schedule},tile-split-over-cores" 2>&1 | filecheck %s --check-prefix WHOLE

module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%image: tensor<1x64x16x16xf32>) -> tensor<1x64x16x16xf32> attributes {smalti.inputs = ["image"], smalti.outputs = ["out"]} {
    %q = tpu.cast "cast" %image : (tensor<1x64x16x16xf32>) -> tensor<1x64x16x16x!quant.uniform<i8:f32, 0.05:-1>>
    %w = tpu.weight "w" seed = 1 : tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %v = tpu.weight "v" seed = 2 : tensor<64x128x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %a = tpu.conv2d "first" %q, %w pads = [1, 1, 1, 1] accumulator = "i32" : (tensor<1x64x16x16x!quant.uniform<i8:f32, 0.05:-1>>, tensor<128x64x3x3x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x128x16x16x!quant.uniform<i8:f32, 0.1:-128>>
    %b = tpu.conv2d "second" %a, %v accumulator = "i32" : (tensor<1x128x16x16x!quant.uniform<i8:f32, 0.1:-128>>, tensor<64x128x1x1x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x64x16x16x!quant.uniform<i8:f32, 0.2:-128>>
    %y = tpu.cast "out" %b : (tensor<1x64x16x16x!quant.uniform<i8:f32, 0.2:-128>>) -> tensor<1x64x16x16xf32>
    func.return %y : tensor<1x64x16x16xf32>
  }
}

// CHECK:      tile.layer {{.*}} -> %cast
// CHECK:      tile.group #tile.group<axis = 2, slices = 4, halos = kept> {
// CHECK-NEXT:   tile.layer {{.*}} -> %first
// CHECK:        tile.layer {{.*}} -> %second
// CHECK:      }
// CHECK:      tile.layer {{.*}} -> %out

// The weights, those of the first layer in two tiles, are loaded for the first of four slices, and stay.
// TILES-COUNT-2: tile.copy core 0 %w_packed
// TILES-NOT:     tile.copy core 0 %w_packed
// TILES-COUNT-1: tile.copy core 0 %v_packed
// TILES-NOT:     tile.copy core 0 %{{[wv]}}_packed

// FIRST:      no_first.schedule:1:11: error: the group that ends with 'second' begins with 'frist', which is no layer before it
// FIRST-NEXT:   "second" <group
// FIRST:   hint: did you mean first?

// AXIS:      no_axis.schedule:1:11: error: this is no group from 'first' to 'second': axis must be at most 3, the last of the last layer's output, got 4
// AXIS:        hint: change the entry, or the layers that it takes in

// TWO:       two_groups.schedule:2:8: error: layer 'second' is in a group already
// TWO:         hint: a layer is in one group at most: change the groups, or leave one out

// FIELD:     wrong_field.schedule:1:{{.*}}: error: a group has no field 'sices': it has first, axis, slices, halos, order
// FIELD:       hint: did you mean slices?

// MANY:      error: tpu.conv2d: axis 1 of 64 elements cannot be divided into 9 slices
// MANY:        hint: it can be divided into at most 4: change the group's axis or slices

// WHOLE:     error: the layers of a group are still whole
// WHOLE:       hint: run tile-slice-groups first
