// RUN: smalti-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{'top.conv2d': result has shape [1, 8, 8, 8], expected [1, 8, 6, 6]}}
  %y = top.conv2d "y" %x, %w : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x8x8xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{'top.conv2d': a window of 8 does not fit in 3 elements with pads 0 and 0}}
  %y = top.conv2d "y" %w, %x : (tensor<8x4x3x3xf32>, tensor<1x4x8x8xf32>) -> tensor<1x8x8x8xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{'top.conv2d': 3 groups do not divide 4 input and 8 output channels}}
  %y = top.conv2d "y" %x, %w groups = 3 : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{'top.conv2d': weight has 4 input channels per group, the input has 4 channels in 2 groups}}
  %y = top.conv2d "y" %x, %w groups = 2 : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>, %b: tensor<8xf32>, %c: tensor<7xf32>) {
  // expected-error @below {{'top.conv2d': bias must have shape [8], got [7]}}
  %y = top.conv2d "y" %x, %w, %c : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>, tensor<7xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{'top.conv2d': kernel 3, stride 0, dilation 1 must be at least 1, pads 0, 0 at least 0}}
  %y = top.conv2d "y" %x, %w strides = [0, 1] : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{'top.conv2d': pads must have 4 numbers, got [1, 1]}}
  %y = top.conv2d "y" %x, %w pads = [1, 1] : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{'top.conv2d': a window of 19 does not fit in 8 elements with pads 0 and 0}}
  %y = top.conv2d "y" %x, %w dilations = [9, 9] : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<8x4x3x3xf32>) {
  // expected-error @below {{'top.conv2d': input must have shape [N,C,H,W], got [1, 4, 8]}}
  %y = top.conv2d "y" %x, %w : (tensor<1x4x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf16>, %b: tensor<8xf32>) {
  // expected-error @below {{'top.conv2d': weight has elements of f16, the result of f32}}
  %y = top.conv2d "y" %x, %w : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf16>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) {
  // expected-error @below {{'top.matmul': lhs has 3 columns, rhs has 4 rows}}
  %y = top.matmul "y" %a, %b : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>) {
  // expected-error @below {{'top.matmul': result has shape [5, 2], expected [2, 5]}}
  %y = top.matmul "y" %a, %b : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<5x2xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %b: tensor<3xf32>, %c: tensor<3xf32>) {
  // expected-error @below {{'top.matmul': a product with a vector takes no bias}}
  %y = top.matmul "y" %a, %b, %c : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%a: tensor<f32>, %b: tensor<3xf32>) {
  // expected-error @below {{'top.matmul': operands must have at least one axis}}
  %y = top.matmul "y" %a, %b : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error @below {{'top.add': shapes [2, 3] and [2] do not broadcast}}
  %y = top.add "y" %a, %b : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %b: tensor<3xi32>) {
  // expected-error @below {{'top.add': rhs has elements of i32, the result of f32}}
  %y = top.add "y" %a, %b : (tensor<2x3xf32>, tensor<3xi32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xi32>) {
  // expected-error @below {{'top.relu': elements must be floats, got i32}}
  %y = top.relu "y" %a : (tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @f(%a: tensor<2x?xf32>) {
  // expected-error @below {{'top.relu': input has a size that is not known: tensor<2x?xf32>}}
  %y = top.relu "y" %a : (tensor<2x?xf32>) -> tensor<2x?xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{'top.clip': bounds 2.0 and 1.0 leave nothing between them}}
  %y = top.clip "y" %a low = 2.0 high = 1.0 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %s: tensor<2xf32>) {
  // expected-error @below {{'top.batch_norm': scale must have shape [3], got [2]}}
  %y = top.batch_norm "y" %a, %s, %s, %s, %s epsilon = 0.1 : (tensor<2x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<3xf32>, %s: tensor<3xf32>) {
  // expected-error @below {{'top.batch_norm': input must have a channel axis, got shape [3]}}
  %y = top.batch_norm "y" %a, %s, %s, %s, %s epsilon = 0.1 : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %s: tensor<3xf32>) {
  // expected-error @below {{'top.batch_norm': epsilon must not be negative, got -0.1}}
  %y = top.batch_norm "y" %a, %s, %s, %s, %s epsilon = -0.1 : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @below {{'top.max_pool': pad 2 is not smaller than the window of 2}}
  %y = top.max_pool "y" %x kernel = [2, 2] pads = [2, 0, 0, 0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x9x7xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @below {{'top.avg_pool': kernel must have 2 numbers, got [2]}}
  %y = top.avg_pool "y" %x kernel = [2] : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @below {{'top.reduce': axes must ascend, each once, got [3, 2]}}
  %y = top.reduce "y" %x kind = "mean" axes = [3, 2] : (tensor<1x4x8x8xf32>) -> tensor<1x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @below {{'top.reduce': axis 4 is not one of 4 axes}}
  %y = top.reduce "y" %x kind = "mean" axes = [4] : (tensor<1x4x8x8xf32>) -> tensor<1x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @below {{'top.reduce': kind must be one of mean, sum, max, min, prod, l1, l2, sum_square, log_sum, log_sum_exp, got 'median'}}
  %y = top.reduce "y" %x kind = "median" axes = [1] : (tensor<1x4x8x8xf32>) -> tensor<1x8x8xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @below {{'top.resize': mode must be one of nearest, linear, cubic, got 'area'}}
  %y = top.resize "y" %x mode = "area" scales = [1.0, 1.0, 2.0, 2.0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x16x16xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @below {{'top.resize': input, result and scales must have 4 axes}}
  %y = top.resize "y" %x mode = "linear" scales = [2.0, 2.0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x16x16xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @below {{'top.resize': scales must be positive, got [1.0, 1.0, 0.0, 2.0]}}
  %y = top.resize "y" %x mode = "linear" scales = [1.0, 1.0, 0.0, 2.0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x16x16xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @below {{'top.resize': roi must have 8 numbers, got 1}}
  %y = top.resize "y" %x mode = "linear" scales = [1.0, 1.0, 2.0, 2.0] roi = [0.0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x16x16xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @below {{'top.resize': tf_crop_and_resize needs a roi}}
  %y = top.resize "y" %x mode = "linear" scales = [1.0, 1.0, 2.0, 2.0] coordinate_transformation_mode = "tf_crop_and_resize" : (tensor<1x4x8x8xf32>) -> tensor<1x4x16x16xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{'top.reshape': [2, 3] has 6 elements, [7] has 7}}
  %y = top.reshape "y" %a : (tensor<2x3xf32>) -> tensor<7xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{'top.transpose': permutation [1, 1] is none of 2 axes}}
  %y = top.transpose "y" %a permutation = [1, 1] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{'top.softmax': axis 2 is not one of 2 axes}}
  %y = top.softmax "y" %a axis = 2 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{'top.weight': exactly one of key, seed and value is needed, got key and seed}}
  %y = top.weight "y" key = "a" seed = 1 : tensor<2xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{'top.weight': seed -1 must be at least 0}}
  %y = top.weight "y" seed = -1 : tensor<2xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{'top.weight': exactly one of key, seed and value is needed, got none of them}}
  %y = top.weight "y" : tensor<2xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{'top.weight': value has shape [3], the result [2]}}
  %y = top.weight "y" value = dense<1.0> : tensor<3xf32> : tensor<2xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{'top.weight': value has elements of i32, expected f32}}
  %y = top.weight "y" value = dense<1> : tensor<2xi32> : tensor<2xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{'top.weight': no storage type for elements of type index}}
  %y = top.weight "y" seed = 1 : tensor<2xindex>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  %y = top.relu "y" %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // expected-error @below {{'top.relu': name "y" is taken by an op above: names are unique in a function}}
  %z = top.relu "y" %y : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{'top.relu': operand 0 is used before it is defined (by top.relu)}}
  %y = top.relu "y" %z : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // expected-note @below {{it is defined here}}
  %z = top.relu "z" %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{'axis' is no property of top.relu (there are: none)}}
  %y = top.relu "y" %a axis = 1 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{expected property 'axis'}}
  %y = top.softmax "y" %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{property 'low' is given twice}}
  %y = top.clip "y" %a low = 1.0 low = 1.0 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{expected ',' and operand 'rhs'}}
  %y = top.add "y" %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{expected 1 operand types, got 2}}
  %y = top.relu "y" %a : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{'top.concat': at least one input is needed}}
  %y = "top.concat"() <{name = "y", axis = 0 : i64}> : () -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) {
  // expected-error @below {{'top.concat': inputs [2, 3] and [2, 4] differ in an axis other than 0}}
  %y = top.concat "y" %a, %b axis = 0 : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{'top.slice': axis 1 has size 3 and step 0}}
  %y = top.slice "y" %a starts = [0, 0] sizes = [2, 3] steps = [1, 0] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{'top.slice': elements 1 to -1 of axis 1 are not all among its 3}}
  %y = top.slice "y" %a starts = [0, 1] sizes = [2, 3] steps = [1, -1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{'top.pad': pads must not be negative, got [0, -1] and [0, 0]}}
  %y = top.pad "y" %a low = [0, -1] high = [0, 0] : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>) {
  // expected-error @below {{'top.gather': index 3 is none of the 3 elements of axis 1}}
  %y = top.gather "y" %a axis = 1 indices = [0, 3] : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xi8>) {
  // expected-error @below {{'top.cast': input must have elements of f16, bf16 or f32, got i8}}
  %y = top.cast "y" %a : (tensor<2x3xi8>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %s: tensor<3xi32>, %t: tensor<3xf32>) {
  // expected-error @below {{'top.batch_norm': scale must have float elements, got i32}}
  %y = top.batch_norm "y" %a, %s, %t, %t, %t epsilon = 0.1 : (tensor<2x3xf32>, tensor<3xi32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @below {{'top.normalize': kind must be one of mean_variance, rms, l1, l2, got 'l3'}}
  %y = top.normalize "y" %x kind = "l3" axes = [1] epsilon = 0.0 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @below {{'top.normalize': there must be at least one axis to normalize over}}
  %y = top.normalize "y" %x kind = "l2" axes = [] epsilon = 0.0 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @below {{'top.normalize': axis 2 is not one of 2 axes}}
  %y = top.normalize "y" %x kind = "l2" axes = [2] epsilon = 0.0 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>, %w: tensor<3x1x8xf32>) {
  // expected-error @below {{'top.normalize': scale [3, 1, 8] does not broadcast to [2, 8]}}
  %y = top.normalize "y" %x, %w kind = "rms" axes = [1] epsilon = 0.0 : (tensor<2x8xf32>, tensor<3x1x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @below {{'top.normalize': epsilon must not be negative, got -1.0}}
  %y = top.normalize "y" %x kind = "rms" axes = [1] epsilon = -1.0 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @below {{'top.local_response_norm': size must be at least 1, got 0}}
  %y = top.local_response_norm "y" %x size = 0 alpha = 1.0 beta = 1.0 offset = 1.0 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<8xf32>) {
  // expected-error @below {{'top.local_response_norm': input must have a channel axis, got shape [8]}}
  %y = top.local_response_norm "y" %x size = 3 alpha = 1.0 beta = 1.0 offset = 1.0 : (tensor<8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @f(%x: tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x4xf32>) {
  // expected-error @below {{'top.relu': input has 33 axes, at most 32 are supported}}
  %y = top.relu "y" %x : (tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x4xf32>) -> tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x4xf32>
  return
}
