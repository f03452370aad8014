// RUN: smalti-opt %s --cost | filecheck %s
// RUN: smalti-opt %s --cost | smalti-opt | filecheck %s --check-prefix=PLAIN
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f32},convert-tpu-to-tile,tile-cut-to-local-memory" --cost | filecheck %s --check-prefix=TILE
// RUN: smalti-opt %s -p "convert-top-to-tpu{target=edge-1c quantize=f32},convert-tpu-to-tile,tile-cut-to-local-memory,tile-assign-addresses,convert-tile-to-isa" --cost | filecheck %s --check-prefix=ISA

func.func @main(%x: tensor<1x3x6x6xf32>) -> tensor<1x3x6x6xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["z"]} {
  %y = top.add "y" %x, %x : (tensor<1x3x6x6xf32>, tensor<1x3x6x6xf32>) -> tensor<1x3x6x6xf32>
  %z = top.mul "z" %y, %x : (tensor<1x3x6x6xf32>, tensor<1x3x6x6xf32>) -> tensor<1x3x6x6xf32>
  func.return %z : tensor<1x3x6x6xf32>
}

// CHECK: %y = top.add "y" {{.*}} -> tensor<1x3x6x6xf32>  // {{[0-9,]+}} cycles ({{[0-9.]+}}%), {{[0-9,]+}} B, {{[0-9.,]+}} nJ
// CHECK: %z = top.mul "z" {{.*}} -> tensor<1x3x6x6xf32>  // {{[0-9,]+}} cycles ({{[0-9.]+}}%), {{[0-9,]+}} B, {{[0-9.,]+}} nJ
// CHECK: func.return %z : tensor<1x3x6x6xf32>{{$}}

// PLAIN: %y = top.add "y" %x, %x : (tensor<1x3x6x6xf32>, tensor<1x3x6x6xf32>) -> tensor<1x3x6x6xf32>{{$}}

// TILE: tile.copy core 0 {{.*}}  // {{[0-9,]+}} cycles ({{[0-9.]+}}%), {{[1-9][0-9,]*}} B, {{[0-9.,]+}} nJ
// TILE: tile.binary core 0 {{.*}}  // {{[0-9,]+}} cycles ({{[0-9.]+}}%), 0 B, {{[0-9.,]+}} nJ

// ISA: isa.stream
// ISA: d0: load {{.*}}  // {{[1-9][0-9,]*}} cycles, {{[1-9][0-9,]*}} B, {{[0-9.,]+}} nJ
// ISA: binary kind=add{{.*}}  // {{[1-9][0-9,]*}} cycles, 0 B, {{[0-9.,]+}} nJ
