"""IR that several tests start from."""

TWO_RELUS = """
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32>
  %c = top.add "c" %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}
"""
"""Two equal ops and their sum: `cse` merges the two."""
