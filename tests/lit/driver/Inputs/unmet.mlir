func.func @unexpected(%x: tensor<4xf32>) {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<5xf32>
  func.return
}

// -----

  // expected-error @+1 {{something else}}
func.func @other(%y: tensor<4xf32>) {
  func.return
}

// -----

func.func @severity(%x: tensor<4xf32>) {
  func.return
}
// expected-warning @unknown {{a warning}}

// -----

func.func @mistyped(%x: tensor<4xf32>) {
  func.return
}
// expected-error @+1 {text}
