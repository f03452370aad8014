// RUN: smalti-opt %s -p "top-unroll-recurrence" --split-input-file --weights-out %t.safetensors | filecheck %s

// One product serves all steps; the matrices appear once; the hidden state of the last step is a result of its own.
func.func @lstm(%x: tensor<2x1x8xf32>, %h: tensor<1x1x4xf32>, %c: tensor<1x1x4xf32>) -> (tensor<2x1x1x4xf32>, tensor<1x1x4xf32>) {
  %w = top.weight "w" seed = 1 : tensor<1x16x8xf32>
  %r = top.weight "r" seed = 2 : tensor<1x16x4xf32>
  %b = top.weight "b" seed = 3 : tensor<1x32xf32>
  %y = top.lstm "y" %x, %w, %r, %b hidden %h cell %c activations = "sigmoid tanh tanh" : (tensor<2x1x8xf32>, tensor<1x16x8xf32>, tensor<1x16x4xf32>, tensor<1x32xf32>, tensor<1x1x4xf32>, tensor<1x1x4xf32>) -> tensor<2x1x1x4xf32>
  %last = top.lstm "last" %x, %w, %r, %b hidden %h cell %c result = "cell" activations = "sigmoid tanh tanh" : (tensor<2x1x8xf32>, tensor<1x16x8xf32>, tensor<1x16x4xf32>, tensor<1x32xf32>, tensor<1x1x4xf32>, tensor<1x1x4xf32>) -> tensor<1x1x4xf32>
  return %y, %last : tensor<2x1x1x4xf32>, tensor<1x1x4xf32>
}

// CHECK:        func.func @lstm(%x: tensor<2x1x8xf32>, %h: tensor<1x1x4xf32>, %c: tensor<1x1x4xf32>) -> (tensor<2x1x1x4xf32>, tensor<1x1x4xf32>) {
// CHECK-NEXT:     %0 = top.weight "y_weights" key = "y_weights" : tensor<8x16xf32>
// CHECK-NEXT:     %1 = top.reshape "y_rows" %x : (tensor<2x1x8xf32>) -> tensor<2x8xf32>
// CHECK-NEXT:     %2 = top.weight "y_inputs_of" value = dense<[0.252286434, -0.279421866, 0.137585759, -0.0767571703, -0.0428389721, 0.133022368, -0.147488058, -0.0737161115, -0.104805201, 0.38635245, 0.216087461, -0.0622251108, -0.0524846092, 0.0334267244, -0.194161057, -0.0682521239]> : tensor<16xf32> : tensor<16xf32>
// CHECK-NEXT:     %3 = top.matmul "y_inputs" %1, %0, %2 : (tensor<2x8xf32>, tensor<8x16xf32>, tensor<16xf32>) -> tensor<2x16xf32>
// CHECK-NEXT:     %4 = top.weight "y_recurrence" key = "y_recurrence" : tensor<4x16xf32>
// CHECK-NEXT:     %5 = top.reshape "y_hidden" %h : (tensor<1x1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %6 = top.reshape "y_cell" %c : (tensor<1x1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %7 = top.slice "y_step0" %3 starts = [0, 0] sizes = [1, 16] steps = [1, 1] : (tensor<2x16xf32>) -> tensor<1x16xf32>
// CHECK-NEXT:     %8 = top.matmul "y_step0_product" %5, %4 : (tensor<1x4xf32>, tensor<4x16xf32>) -> tensor<1x16xf32>
// CHECK-NEXT:     %9 = top.add "y_step0_total" %7, %8 : (tensor<1x16xf32>, tensor<1x16xf32>) -> tensor<1x16xf32>
// CHECK-NEXT:     %10 = top.slice "y_step0_gates_total" %9 starts = [0, 0] sizes = [1, 12] steps = [1, 1] : (tensor<1x16xf32>) -> tensor<1x12xf32>
// CHECK-NEXT:     %11 = top.unary "y_step0_gates" %10 kind = "sigmoid" : (tensor<1x12xf32>) -> tensor<1x12xf32>
// CHECK-NEXT:     %12 = top.slice "y_step0_input_gate" %11 starts = [0, 0] sizes = [1, 4] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %13 = top.slice "y_step0_output_gate" %11 starts = [0, 4] sizes = [1, 4] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %14 = top.slice "y_step0_forget_gate" %11 starts = [0, 8] sizes = [1, 4] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %15 = top.slice "y_step0_new_total" %9 starts = [0, 12] sizes = [1, 4] steps = [1, 1] : (tensor<1x16xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %16 = top.unary "y_step0_new" %15 kind = "tanh" : (tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %17 = top.mul "y_step0_added" %12, %16 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %18 = top.mul "y_step0_kept" %14, %6 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %19 = top.add "y_step0_cell" %18, %17 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %20 = top.unary "y_step0_shown" %19 kind = "tanh" : (tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %21 = top.mul "y_step0_hidden" %13, %20 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %22 = top.slice "y_step1" %3 starts = [1, 0] sizes = [1, 16] steps = [1, 1] : (tensor<2x16xf32>) -> tensor<1x16xf32>
// CHECK-NEXT:     %23 = top.matmul "y_step1_product" %21, %4 : (tensor<1x4xf32>, tensor<4x16xf32>) -> tensor<1x16xf32>
// CHECK-NEXT:     %24 = top.add "y_step1_total" %22, %23 : (tensor<1x16xf32>, tensor<1x16xf32>) -> tensor<1x16xf32>
// CHECK-NEXT:     %25 = top.slice "y_step1_gates_total" %24 starts = [0, 0] sizes = [1, 12] steps = [1, 1] : (tensor<1x16xf32>) -> tensor<1x12xf32>
// CHECK-NEXT:     %26 = top.unary "y_step1_gates" %25 kind = "sigmoid" : (tensor<1x12xf32>) -> tensor<1x12xf32>
// CHECK-NEXT:     %27 = top.slice "y_step1_input_gate" %26 starts = [0, 0] sizes = [1, 4] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %28 = top.slice "y_step1_output_gate" %26 starts = [0, 4] sizes = [1, 4] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %29 = top.slice "y_step1_forget_gate" %26 starts = [0, 8] sizes = [1, 4] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %30 = top.slice "y_step1_new_total" %24 starts = [0, 12] sizes = [1, 4] steps = [1, 1] : (tensor<1x16xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %31 = top.unary "y_step1_new" %30 kind = "tanh" : (tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %32 = top.mul "y_step1_added" %27, %31 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %33 = top.mul "y_step1_kept" %29, %19 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %34 = top.add "y_step1_cell" %33, %32 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %35 = top.unary "y_step1_shown" %34 kind = "tanh" : (tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %36 = top.mul "y_step1_hidden" %28, %35 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %37 = top.concat "y_steps" %21, %36 axis = 0 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:     %y = top.reshape "y" %37 : (tensor<2x4xf32>) -> tensor<2x1x1x4xf32>
// CHECK-NEXT:     %last = top.reshape "last" %34 : (tensor<1x4xf32>) -> tensor<1x1x4xf32>
// CHECK-NEXT:     func.return %y, %last : tensor<2x1x1x4xf32>, tensor<1x1x4xf32>

// -----

// Both directions share the product of the inputs, and the sequence, which nobody asks for, is not made.
func.func @gru(%x: tensor<2x1x8xf32>) -> tensor<2x1x4xf32> {
  %w = top.weight "w" seed = 1 : tensor<2x12x8xf32>
  %r = top.weight "r" seed = 2 : tensor<2x12x4xf32>
  %y = top.gru "y" %x, %w, %r result = "hidden" direction = "bidirectional" activations = "sigmoid tanh sigmoid tanh" : (tensor<2x1x8xf32>, tensor<2x12x8xf32>, tensor<2x12x4xf32>) -> tensor<2x1x4xf32>
  return %y : tensor<2x1x4xf32>
}

// CHECK:        func.func @gru(%x: tensor<2x1x8xf32>) -> tensor<2x1x4xf32> {
// CHECK-NEXT:     %0 = top.weight "y_weights" key = "y_weights" : tensor<8x24xf32>
// CHECK-NEXT:     %1 = top.reshape "y_rows" %x : (tensor<2x1x8xf32>) -> tensor<2x8xf32>
// CHECK-NEXT:     %2 = top.matmul "y_inputs" %1, %0 : (tensor<2x8xf32>, tensor<8x24xf32>) -> tensor<2x24xf32>
// CHECK-NEXT:     %3 = top.weight "y_recurrence_of_gates_1" key = "y_recurrence_of_gates" : tensor<4x8xf32>
// CHECK-NEXT:     %4 = top.weight "y_recurrence_1" value = dense<[[0.107834242, -0.0169760492, 0.0242938846, -0.0563287213], [0.072243087, 0.0868460238, 0.18014209, 0.0969272181], [0.0210571811, -0.112971596, -0.076446414, -0.0235005505], [0.0284038149, -0.042185884, -0.107906044, 0.132434696]]> : tensor<4x4xf32> : tensor<4x4xf32>
// CHECK-NEXT:     %5 = top.slice "y_step0" %2 starts = [0, 0] sizes = [1, 12] steps = [1, 1] : (tensor<2x24xf32>) -> tensor<1x12xf32>
// CHECK-NEXT:     %6 = top.slice "y_step0_gates_inputs" %5 starts = [0, 0] sizes = [1, 8] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %7 = top.slice "y_step0_new_inputs" %5 starts = [0, 8] sizes = [1, 4] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %8 = top.unary "y_step0_gates" %6 kind = "sigmoid" : (tensor<1x8xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %9 = top.slice "y_step0_update_gate" %8 starts = [0, 0] sizes = [1, 4] steps = [1, 1] : (tensor<1x8xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %10 = top.unary "y_step0_new" %7 kind = "tanh" : (tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %11 = top.weight "y_number" value = dense<1.000000e+00> : tensor<f32> : tensor<f32>
// CHECK-NEXT:     %12 = top.sub "y_step0_update" %11, %9 : (tensor<f32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %13 = top.mul "y_step0_added" %12, %10 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %14 = top.slice "y_step1" %2 starts = [1, 0] sizes = [1, 12] steps = [1, 1] : (tensor<2x24xf32>) -> tensor<1x12xf32>
// CHECK-NEXT:     %15 = top.slice "y_step1_gates_inputs" %14 starts = [0, 0] sizes = [1, 8] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %16 = top.slice "y_step1_new_inputs" %14 starts = [0, 8] sizes = [1, 4] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %17 = top.matmul "y_step1_gates_product" %13, %3 : (tensor<1x4xf32>, tensor<4x8xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %18 = top.add "y_step1_gates_total" %15, %17 : (tensor<1x8xf32>, tensor<1x8xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %19 = top.unary "y_step1_gates" %18 kind = "sigmoid" : (tensor<1x8xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %20 = top.slice "y_step1_update_gate" %19 starts = [0, 0] sizes = [1, 4] steps = [1, 1] : (tensor<1x8xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %21 = top.slice "y_step1_reset_gate" %19 starts = [0, 4] sizes = [1, 4] steps = [1, 1] : (tensor<1x8xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %22 = top.mul "y_step1_reset" %21, %13 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %23 = top.matmul "y_step1_new_product" %22, %4 : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %24 = top.add "y_step1_new_total" %16, %23 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %25 = top.unary "y_step1_new" %24 kind = "tanh" : (tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %26 = top.sub "y_step1_update" %11, %20 : (tensor<f32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %27 = top.mul "y_step1_added" %26, %25 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %28 = top.mul "y_step1_kept" %20, %13 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %29 = top.add "y_step1_hidden" %27, %28 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %30 = top.weight "y_recurrence_of_gates" key = "y_recurrence_of_gates_1" : tensor<4x8xf32>
// CHECK-NEXT:     %31 = top.weight "y_recurrence" value = dense<[[-0.0276551712, -0.0759108141, 0.112922765, 0.0153412167], [-0.0689719543, -0.0134128518, -0.0836085156, -0.0836386532], [0.0891655833, -9.056060e-02, 0.142854407, -0.0222235173], [-0.0104626454, 0.0190045834, -0.0667619929, 0.00474044122]]> : tensor<4x4xf32> : tensor<4x4xf32>
// CHECK-NEXT:     %32 = top.slice "y_back1" %2 starts = [1, 12] sizes = [1, 12] steps = [1, 1] : (tensor<2x24xf32>) -> tensor<1x12xf32>
// CHECK-NEXT:     %33 = top.slice "y_back1_gates_inputs" %32 starts = [0, 0] sizes = [1, 8] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %34 = top.slice "y_back1_new_inputs" %32 starts = [0, 8] sizes = [1, 4] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %35 = top.unary "y_back1_gates" %33 kind = "sigmoid" : (tensor<1x8xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %36 = top.slice "y_back1_update_gate" %35 starts = [0, 0] sizes = [1, 4] steps = [1, 1] : (tensor<1x8xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %37 = top.unary "y_back1_new" %34 kind = "tanh" : (tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %38 = top.sub "y_back1_update" %11, %36 : (tensor<f32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %39 = top.mul "y_back1_added" %38, %37 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %40 = top.slice "y_back0" %2 starts = [0, 12] sizes = [1, 12] steps = [1, 1] : (tensor<2x24xf32>) -> tensor<1x12xf32>
// CHECK-NEXT:     %41 = top.slice "y_back0_gates_inputs" %40 starts = [0, 0] sizes = [1, 8] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %42 = top.slice "y_back0_new_inputs" %40 starts = [0, 8] sizes = [1, 4] steps = [1, 1] : (tensor<1x12xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %43 = top.matmul "y_back0_gates_product" %39, %30 : (tensor<1x4xf32>, tensor<4x8xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %44 = top.add "y_back0_gates_total" %41, %43 : (tensor<1x8xf32>, tensor<1x8xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %45 = top.unary "y_back0_gates" %44 kind = "sigmoid" : (tensor<1x8xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:     %46 = top.slice "y_back0_update_gate" %45 starts = [0, 0] sizes = [1, 4] steps = [1, 1] : (tensor<1x8xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %47 = top.slice "y_back0_reset_gate" %45 starts = [0, 4] sizes = [1, 4] steps = [1, 1] : (tensor<1x8xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %48 = top.mul "y_back0_reset" %47, %39 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %49 = top.matmul "y_back0_new_product" %48, %31 : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %50 = top.add "y_back0_new_total" %42, %49 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %51 = top.unary "y_back0_new" %50 kind = "tanh" : (tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %52 = top.sub "y_back0_update" %11, %46 : (tensor<f32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %53 = top.mul "y_back0_added" %52, %51 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %54 = top.mul "y_back0_kept" %46, %39 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %55 = top.add "y_back0_hidden" %53, %54 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:     %56 = top.reshape "y_direction_1" %29 : (tensor<1x4xf32>) -> tensor<1x1x4xf32>
// CHECK-NEXT:     %57 = top.reshape "y_direction" %55 : (tensor<1x4xf32>) -> tensor<1x1x4xf32>
// CHECK-NEXT:     %y = top.concat "y" %56, %57 axis = 0 : (tensor<1x1x4xf32>, tensor<1x1x4xf32>) -> tensor<2x1x4xf32>
// CHECK-NEXT:     func.return %y : tensor<2x1x4xf32>

// -----

// Lengths that are computed choose between the states before and after each step.
func.func @rnn(%x: tensor<2x3x8xf32>, %n: tensor<3xi32>) -> tensor<2x1x3x4xf32> {
  %w = top.weight "w" seed = 1 : tensor<1x4x8xf32>
  %r = top.weight "r" seed = 2 : tensor<1x4x4xf32>
  %y = top.rnn "y" %x, %w, %r lengths %n activations = "tanh" clip = 2.0 : (tensor<2x3x8xf32>, tensor<1x4x8xf32>, tensor<1x4x4xf32>, tensor<3xi32>) -> tensor<2x1x3x4xf32>
  return %y : tensor<2x1x3x4xf32>
}

// CHECK:        func.func @rnn(%x: tensor<2x3x8xf32>, %n: tensor<3xi32>) -> tensor<2x1x3x4xf32> {
// CHECK-NEXT:     %0 = top.weight "y_weights" key = "y_weights" : tensor<8x4xf32>
// CHECK-NEXT:     %1 = top.reshape "y_rows" %x : (tensor<2x3x8xf32>) -> tensor<6x8xf32>
// CHECK-NEXT:     %2 = top.matmul "y_inputs" %1, %0 : (tensor<6x8xf32>, tensor<8x4xf32>) -> tensor<6x4xf32>
// CHECK-NEXT:     %3 = top.reshape "y_lengths" %n : (tensor<3xi32>) -> tensor<1x3xi32>
// CHECK-NEXT:     %4 = top.weight "y_numbers" key = "y_numbers" : tensor<2x1xi32>
// CHECK-NEXT:     %5 = top.call "y_runs" %4, %3 function = "less" : (tensor<2x1xi32>, tensor<1x3xi32>) -> tensor<2x3xi1>
// CHECK-NEXT:     %6 = top.weight "y_recurrence" value = dense<[[0.0189053379, 0.179970741, 0.0281210672, -0.0328823887], [-0.0522748455, 0.114416584, -0.0553822853, -0.0792146772], [-0.0413063541, -0.0325422846, 0.0977567434, 0.0454958081], [-0.244146734, 0.0773806572, -0.0310556553, -0.00991980545]]> : tensor<4x4xf32> : tensor<4x4xf32>
// CHECK-NEXT:     %7 = top.slice "y_step0_runs" %5 starts = [0, 0] sizes = [1, 3] steps = [1, 1] : (tensor<2x3xi1>) -> tensor<1x3xi1>
// CHECK-NEXT:     %8 = top.reshape "y_step0_mask" %7 : (tensor<1x3xi1>) -> tensor<3x1xi1>
// CHECK-NEXT:     %9 = top.slice "y_step0" %2 starts = [0, 0] sizes = [3, 4] steps = [1, 1] : (tensor<6x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT:     %10 = top.clip "y_step0_hidden_clipped" %9 low = -2.0 high = 2.0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT:     %11 = top.unary "y_step0_hidden" %10 kind = "tanh" : (tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT:     %12 = top.weight "y_number" value = dense<0.000000e+00> : tensor<f32> : tensor<f32>
// CHECK-NEXT:     %13 = top.select "y_step0_shown_hidden" %8, %11, %12 : (tensor<3x1xi1>, tensor<3x4xf32>, tensor<f32>) -> tensor<3x4xf32>
// CHECK-NEXT:     %14 = top.select "y_step0_kept_hidden" %8, %11, %12 : (tensor<3x1xi1>, tensor<3x4xf32>, tensor<f32>) -> tensor<3x4xf32>
// CHECK-NEXT:     %15 = top.slice "y_step1_runs" %5 starts = [1, 0] sizes = [1, 3] steps = [1, 1] : (tensor<2x3xi1>) -> tensor<1x3xi1>
// CHECK-NEXT:     %16 = top.reshape "y_step1_mask" %15 : (tensor<1x3xi1>) -> tensor<3x1xi1>
// CHECK-NEXT:     %17 = top.slice "y_step1" %2 starts = [3, 0] sizes = [3, 4] steps = [1, 1] : (tensor<6x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT:     %18 = top.matmul "y_step1_product" %14, %6 : (tensor<3x4xf32>, tensor<4x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT:     %19 = top.add "y_step1_total" %17, %18 : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT:     %20 = top.clip "y_step1_hidden_clipped" %19 low = -2.0 high = 2.0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT:     %21 = top.unary "y_step1_hidden" %20 kind = "tanh" : (tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT:     %22 = top.select "y_step1_shown_hidden" %16, %21, %12 : (tensor<3x1xi1>, tensor<3x4xf32>, tensor<f32>) -> tensor<3x4xf32>
// CHECK-NEXT:     %23 = top.concat "y_steps" %13, %22 axis = 0 : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<6x4xf32>
// CHECK-NEXT:     %y = top.reshape "y" %23 : (tensor<6x4xf32>) -> tensor<2x1x3x4xf32>
// CHECK-NEXT:     func.return %y : tensor<2x1x3x4xf32>

// -----

// Lengths that are known cost a choice only in the steps in which some sequences run, and nothing after all have ended.
func.func @known(%x: tensor<3x2x8xf32>) -> tensor<3x1x2x4xf32> {
  %n = top.weight "n" value = dense<[2, 1]> : tensor<2xi32>
  %w = top.weight "w" seed = 1 : tensor<1x4x8xf32>
  %r = top.weight "r" seed = 2 : tensor<1x4x4xf32>
  %y = top.rnn "y" %x, %w, %r lengths %n activations = "relu" : (tensor<3x2x8xf32>, tensor<1x4x8xf32>, tensor<1x4x4xf32>, tensor<2xi32>) -> tensor<3x1x2x4xf32>
  return %y : tensor<3x1x2x4xf32>
}

// CHECK:        func.func @known(%x: tensor<3x2x8xf32>) -> tensor<3x1x2x4xf32> {
// CHECK-NEXT:     %0 = top.weight "y_weights" key = "y_weights" : tensor<8x4xf32>
// CHECK-NEXT:     %1 = top.reshape "y_rows" %x : (tensor<3x2x8xf32>) -> tensor<6x8xf32>
// CHECK-NEXT:     %2 = top.matmul "y_inputs" %1, %0 : (tensor<6x8xf32>, tensor<8x4xf32>) -> tensor<6x4xf32>
// CHECK-NEXT:     %3 = top.weight "y_recurrence" value = dense<[[0.0189053379, 0.179970741, 0.0281210672, -0.0328823887], [-0.0522748455, 0.114416584, -0.0553822853, -0.0792146772], [-0.0413063541, -0.0325422846, 0.0977567434, 0.0454958081], [-0.244146734, 0.0773806572, -0.0310556553, -0.00991980545]]> : tensor<4x4xf32> : tensor<4x4xf32>
// CHECK-NEXT:     %4 = top.slice "y_step0" %2 starts = [0, 0] sizes = [2, 4] steps = [1, 1] : (tensor<6x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:     %5 = top.relu "y_step0_hidden" %4 : (tensor<2x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:     %6 = top.slice "y_step1" %2 starts = [2, 0] sizes = [2, 4] steps = [1, 1] : (tensor<6x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:     %7 = top.matmul "y_step1_product" %5, %3 : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:     %8 = top.add "y_step1_total" %6, %7 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:     %9 = top.relu "y_step1_hidden" %8 : (tensor<2x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:     %10 = top.weight "y_step1_mask" key = "y_step1_mask" : tensor<2x1xi1>
// CHECK-NEXT:     %11 = top.weight "y_number" value = dense<0.000000e+00> : tensor<f32> : tensor<f32>
// CHECK-NEXT:     %12 = top.select "y_step1_shown_hidden" %10, %9, %11 : (tensor<2x1xi1>, tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
// CHECK-NEXT:     %13 = top.weight "y_zeros" value = dense<0.000000e+00> : tensor<2x4xf32> : tensor<2x4xf32>
// CHECK-NEXT:     %14 = top.concat "y_steps" %5, %12, %13 axis = 0 : (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<6x4xf32>
// CHECK-NEXT:     %y = top.reshape "y" %14 : (tensor<6x4xf32>) -> tensor<3x1x2x4xf32>
// CHECK-NEXT:     func.return %y : tensor<3x1x2x4xf32>
