// RUN: smalti-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.lstm': direction must be one of forward, reverse, bidirectional}}
  %y = top.lstm "y" %x, %w, %r direction = "up" activations = "sigmoid tanh tanh" : (tensor<3x2x8xf32>, tensor<1x16x8xf32>, tensor<1x16x4xf32>) -> tensor<3x1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.lstm': input must have 3 axes, got [2, 8]}}
  %y = top.lstm "y" %v, %w, %r activations = "sigmoid tanh tanh" : (tensor<2x8xf32>, tensor<1x16x8xf32>, tensor<1x16x4xf32>) -> tensor<3x1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.lstm': bias must have shape [1, 32], got [1, 30]}}
  %y = top.lstm "y" %x, %w, %r, %b activations = "sigmoid tanh tanh" : (tensor<3x2x8xf32>, tensor<1x16x8xf32>, tensor<1x16x4xf32>, tensor<1x30xf32>) -> tensor<3x1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.lstm': weights must have shape [2, 16, 8], got [1, 16, 8]}}
  %y = top.lstm "y" %x, %w, %r direction = "bidirectional" activations = "sigmoid tanh tanh" : (tensor<3x2x8xf32>, tensor<1x16x8xf32>, tensor<1x16x4xf32>) -> tensor<3x1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.lstm': result has shape [3, 1, 2, 4], expected [1, 2, 4]}}
  %y = top.lstm "y" %x, %w, %r result = "hidden" activations = "sigmoid tanh tanh" : (tensor<3x2x8xf32>, tensor<1x16x8xf32>, tensor<1x16x4xf32>) -> tensor<3x1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.rnn': result must be one of sequence, hidden, got 'cell'}}
  %y = top.rnn "y" %x, %w2, %r2 result = "cell" activations = "tanh" : (tensor<3x2x8xf32>, tensor<1x4x8xf32>, tensor<1x4x4xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.lstm': 3 activations are needed, got 1}}
  %y = top.lstm "y" %x, %w, %r activations = "tanh" : (tensor<3x2x8xf32>, tensor<1x16x8xf32>, tensor<1x16x4xf32>) -> tensor<3x1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.rnn': an activation must be one of relu, tanh, sigmoid, softsign, softplus, leaky_relu, thresholded_relu, elu, hard_sigmoid, affine, scaled_tanh, got 'gelu'}}
  %y = top.rnn "y" %x, %w2, %r2 activations = "gelu" : (tensor<3x2x8xf32>, tensor<1x4x8xf32>, tensor<1x4x4xf32>) -> tensor<3x1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.rnn': activations tanh: the op has no alpha}}
  %y = top.rnn "y" %x, %w2, %r2 activations = "tanh" alpha = [1.0] : (tensor<3x2x8xf32>, tensor<1x4x8xf32>, tensor<1x4x4xf32>) -> tensor<3x1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.rnn': activations affine: the op needs beta}}
  %y = top.rnn "y" %x, %w2, %r2 activations = "affine" alpha = [1.0] : (tensor<3x2x8xf32>, tensor<1x4x8xf32>, tensor<1x4x4xf32>) -> tensor<3x1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.rnn': alpha must have a number for each of 1 activations, got 2}}
  %y = top.rnn "y" %x, %w2, %r2 activations = "elu" alpha = [1.0, 2.0] : (tensor<3x2x8xf32>, tensor<1x4x8xf32>, tensor<1x4x4xf32>) -> tensor<3x1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.rnn': alpha must be finite, got [inf]}}
  %y = top.rnn "y" %x, %w2, %r2 activations = "elu" alpha = [0x7FF0000000000000] : (tensor<3x2x8xf32>, tensor<1x4x8xf32>, tensor<1x4x4xf32>) -> tensor<3x1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.rnn': clip must be positive, got 0.0}}
  %y = top.rnn "y" %x, %w2, %r2 activations = "tanh" clip = 0.0 : (tensor<3x2x8xf32>, tensor<1x4x8xf32>, tensor<1x4x4xf32>) -> tensor<3x1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf32>, %w: tensor<1x16x8xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x30xf32>, %n: tensor<2xi64>, %v: tensor<2x8xf32>, %w2: tensor<1x4x8xf32>, %r2: tensor<1x4x4xf32>) {
  // expected-error @below {{'top.rnn': lengths must be i32, got i64}}
  %y = top.rnn "y" %x, %w2, %r2 lengths %n activations = "tanh" : (tensor<3x2x8xf32>, tensor<1x4x8xf32>, tensor<1x4x4xf32>, tensor<2xi64>) -> tensor<3x1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<3x2x8xf64>, %w: tensor<1x4x8xf64>, %r: tensor<1x4x4xf64>) {
  // expected-error @below {{'top.rnn': elements must be f16, bf16 or f32, got f64}}
  %y = top.rnn "y" %x, %w, %r activations = "tanh" : (tensor<3x2x8xf64>, tensor<1x4x8xf64>, tensor<1x4x4xf64>) -> tensor<3x1x2x4xf64>
  return
}
