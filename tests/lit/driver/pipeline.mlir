// RUN: smalti-opt %s -p "convert-top-to-tpu{quantize=f32}, cse" | filecheck %s
// RUN: smalti-opt %s --pass-pipeline="builtin.module(convert-top-to-tpu{quantize=f32},builtin.module(cse))" | filecheck %s
// RUN: smalti-opt %s --convert-top-to-tpu="quantize=f32" --cse | filecheck %s
// RUN: smalti-opt --convert-top-to-tpu="quantize=f32" --cse %s | filecheck %s
// RUN: smalti-opt %s -p "" | filecheck %s --check-prefix NOTHING
// RUN: smalti-opt %s --cse --convert-top-to-tpu="quantize=f32" --dump-pass-pipeline -o /dev/null 2>&1 | filecheck %s --check-prefix DUMP

// Flags run in the order given, and --dump-pass-pipeline shows every option.
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["out"]} {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32>
  %c = top.add "c" %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}

// CHECK:      tpu.clamp "a"
// CHECK-NEXT: tpu.add "c" %a, %a

// NOTHING: top.relu "a"
// NOTHING: top.relu "b"
// NOTHING: top.add "c" %a, %b

// DUMP:      Pass pipeline of 2 passes:
// DUMP-NEXT: builtin.module(cse,convert-top-to-tpu{target=default-8c quantize=f32 scheme qtable})
