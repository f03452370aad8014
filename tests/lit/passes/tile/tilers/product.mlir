// RUN: smalti-opt %s -p "convert-tpu-to-tile,tile-plan{cores=2},tile-split-over-cores,tile-cut-to-local-memory" | filecheck %s

// A product of one row is quicker on the vector unit than the array of the matrix unit is loaded: each core takes half of
// the columns. One of sixteen rows is not.
module attributes {smalti.target = "default-8c", smalti.target_hash = "sha256:d554696df68563fa"} {
  func.func @main(%x: tensor<1x1280x!quant.uniform<i8:f32, 0.05:-3>>, %y: tensor<16x1280x!quant.uniform<i8:f32, 0.05:-3>>) -> (tensor<1x256x!quant.uniform<i8:f32, 0.25:7>>, tensor<16x256x!quant.uniform<i8:f32, 0.25:7>>) attributes {smalti.inputs = ["x", "y"], smalti.outputs = ["one", "many"]} {
    %w = tpu.weight "w" seed = 1 : tensor<1280x256x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %a = tpu.matmul "a" %x, %w accumulator = "i32" : (tensor<1x1280x!quant.uniform<i8:f32, 0.05:-3>>, tensor<1280x256x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<1x256x!quant.uniform<i8:f32, 0.25:7>>
    %b = tpu.matmul "b" %y, %w accumulator = "i32" : (tensor<16x1280x!quant.uniform<i8:f32, 0.05:-3>>, tensor<1280x256x!quant.uniform<i8<-127:127>:f32, 0.01>>) -> tensor<16x256x!quant.uniform<i8:f32, 0.25:7>>
    func.return %a, %b : tensor<1x256x!quant.uniform<i8:f32, 0.25:7>>, tensor<16x256x!quant.uniform<i8:f32, 0.25:7>>
  }
}

// CHECK:      tile.matmul core 0 {{.*}} depth = 1280 columns = 128 on_vector_unit origin = "a" : memref<1x1x1280xi8, "local">, memref<1x2x1280x64xi8, "local"> -> memref<1x1x128xi32, "acc">
// CHECK:      tile.matmul core 1 {{.*}} depth = 1280 columns = 128 on_vector_unit origin = "a" : memref<1x1x1280xi8, "local">, memref<1x2x1280x64xi8, "local"> -> memref<1x1x128xi32, "acc">
// CHECK:      tile.matmul core 0 {{.*}} depth = 1280 columns = 64 origin = "b" :
// CHECK-NOT:  on_vector_unit
