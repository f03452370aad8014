// RUN: not smalti-opt %s --split-input-file 2>&1 | filecheck %s

func.func @f(%x: !t7) {
  func.return
}

// CHECK:      attributes.mlir:3:21: error: there is no alias '!t7'
// CHECK:      hint: define it in a line of its own: !t7 = tensor<4xf32>

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32> loc(#loc3)
  func.return
}

// CHECK:      attributes.mlir:13:68: error: there is no alias '#loc3'
// CHECK:      hint: define it in a line of its own: #loc3 = loc("name")

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  %y = top.conv2d "y" %x, %w strids = [1, 1] : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  func.return
}

// CHECK:      attributes.mlir:23:30: error: 'strids' is no property of top.conv2d (there are: strides, pads, dilations, groups)
// CHECK:      hint: did you mean strides?

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  %y = top.conv2d "y" %x, %w strides = [1, "a"] : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  func.return
}

// CHECK:      attributes.mlir:33:44: error: a whole number was expected

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  %y = top.conv2d "y" %x, %w strides = [1, 1] strides = [1, 1] : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  func.return
}

// CHECK:      attributes.mlir:42:55: error: property 'strides' is given twice

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = "top.relu"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      attributes.mlir:51:3: error: 'top.relu': property 'name' is missing
// CHECK:      hint: in the generic form: <{name = ...}>

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = "top.relu"(%x) <{name = 3 : i32}> : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      attributes.mlir:61:3: error: 'top.relu': 3 : i32 should be of base attribute string

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = "top.relu"(%x) <{name = "a", nme = "b"}> : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      attributes.mlir:70:3: error: 'top.relu': there is no property 'nme' (there are: name)
// CHECK:      hint: did you mean name?

// -----

func.func @f(%x: tensor<4xf32>) {
  %w = top.weight "w" value = dense<[1.0, a]> : tensor<2xf32> : tensor<2xf32>
  func.return
}

// CHECK:      attributes.mlir:80:43: error: a number was expected
// CHECK:      hint: such as 1.0, -3 or 0x7F800000

// -----

func.func @f(%x: tensor<4xf32>) {
  %w = top.weight "w" seed = 99999999999999999999999 : tensor<2xf32>
  func.return
}

// CHECK:      attributes.mlir:90:3: error: 99999999999999999999999 does not fit i64
// CHECK:      hint: use a smaller number, or a wider type

// -----

builtin.module attributes {smalti.weights = "../../etc/w.safetensors"} {
}

// CHECK:      attributes.mlir:99:1: error: weight file '../../etc/w.safetensors' is outside the folder of the IR file
// CHECK:      hint: keep the weights beside the IR, and name them by a relative path

// -----

builtin.module attributes {smalti.weights = "none.safetensors"} {
}

// CHECK:      none.safetensors: error: cannot read the weights: No such file or directory
// CHECK:      hint: keep the weight file beside the IR that names it

// -----

builtin.module attributes {smalti.weights = 3 : i32} {
}

// CHECK:      attributes.mlir:115:1: error: attribute 'smalti.weights' is not a string

// -----

#a = 
builtin.module {}

// CHECK:      attributes.mlir:122:4: error: an attribute was expected, but the line ends here
// CHECK:      hint: such as 3 : i32, "text" or [1, 2]

// -----

#l = loc(#l)
builtin.module {} loc(#l)

// CHECK:      attributes.mlir:130:12: error: there is no alias '#l'
// CHECK:      hint: define it in a line of its own: #l = loc("name")

// -----

#l = loc("a")
#l = loc("b")
builtin.module {} loc(#l)

// CHECK:      attributes.mlir:139:4: error: alias '#l' is defined twice
// CHECK:      hint: keep one of them

// -----

"func.func"() ({
  "func.return"() : () -> ()
}) : () -> ()

// CHECK:      attributes.mlir:147:1: error: 'func.func': property 'sym_name' is missing
// CHECK:      hint: in the generic form: <{sym_name = ...}>

// -----

func.func @f(%x: tensor<4xf32>) {
  %a = top.softmax "a" %x axis = : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK:      attributes.mlir:157:34: error: a whole number was expected
