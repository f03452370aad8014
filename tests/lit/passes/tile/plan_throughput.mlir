// RUN: smalti-opt %s -p "convert-top-to-tpu{quantize=f16},convert-tpu-to-tile,tile-plan{objective=throughput}" --explain-plan=b0 2>%t.txt | filecheck %s
// RUN: filecheck %s --check-prefix=EXPLAIN < %t.txt
// RUN: smalti-opt %s -p "convert-top-to-tpu{quantize=f16},convert-tpu-to-tile,tile-plan{objective=throughput}" --plan-trace=%t.json -o /dev/null
// RUN: filecheck %s --check-prefix=TRACE < %t.json
// RUN: smalti-opt %s -p "convert-top-to-tpu{quantize=f16},convert-tpu-to-tile,tile-plan" --explain-plan=b0 2>%t.txt | filecheck %s --check-prefix=LATENCY
// RUN: filecheck %s --check-prefix=SILENT < %t.txt
// RUN: smalti-opt %s -p "convert-top-to-tpu{quantize=f16},convert-tpu-to-tile,tile-plan{objective=throughput cores=1}" --explain-plan=b0 -o /dev/null 2>&1 | filecheck %s --check-prefix=SILENT
// RUN: not smalti-opt %s -p "convert-top-to-tpu{quantize=f16},convert-tpu-to-tile,tile-plan{objective=speed}" 2>&1 | filecheck %s --check-prefix=INVALID

// For throughput each core may have samples of the batch to itself, if that takes fewer cycles by the estimate.

func.func @main(%x: tensor<8x16x4x4xf32>) -> tensor<8x16x4x4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %u0 = top.weight "u0" seed = 1 : tensor<64x16x1x1xf32>
  %a0 = top.conv2d "a0" %x, %u0 : (tensor<8x16x4x4xf32>, tensor<64x16x1x1xf32>) -> tensor<8x64x4x4xf32>
  %v0 = top.weight "v0" seed = 2 : tensor<64x1x3x3xf32>
  %b0 = top.conv2d "b0" %a0, %v0 pads = [1, 1, 1, 1] groups = 64 : (tensor<8x64x4x4xf32>, tensor<64x1x3x3xf32>) -> tensor<8x64x4x4xf32>
  %w0 = top.weight "w0" seed = 3 : tensor<16x64x1x1xf32>
  %c0 = top.conv2d "c0" %b0, %w0 : (tensor<8x64x4x4xf32>, tensor<16x64x1x1xf32>) -> tensor<8x16x4x4xf32>
  func.return %c0 : tensor<8x16x4x4xf32>
}


// CHECK-COUNT-5: split = [8, 1, 1, 1]

// EXPLAIN:      throughput: the samples of the batch together, or apart, each on cores of its own
// EXPLAIN-NEXT:      samples   cycles
// EXPLAIN-NEXT:      together   {{[0-9,]+}}
// EXPLAIN-NEXT:   *  apart      {{[0-9,]+}}
// EXPLAIN-EMPTY:
// EXPLAIN-NEXT: b0: tpu.conv2d
// EXPLAIN-NEXT:   split: the only way to divide the layer

// TRACE: "cores": 8, "plans": [{"samples_apart": false, "done_cycles": {{[0-9]+}}, "is_chosen": false, "part_cycles": null}, {"samples_apart": true, "done_cycles": {{[0-9]+}}, "is_chosen": true, "part_cycles": null}], "layers": [

// LATENCY: split = [{{[1-7]}}, {{.*}}]

// SILENT-NOT: throughput

// INVALID:      error: option 'objective' is speed, expected one of latency, throughput
