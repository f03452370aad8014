#loc = loc("a.mlir":1:1)
module {
  func.func @f(%arg0: tensor<4xf32> loc("a.mlir":2:3)) {
    %0 = "top.relu"(%arg0) <{name = "a"}> : (tensor<4xf32>) -> tensor<4xf32> loc(#loc1)
    return loc(#loc)
  } loc(#loc)
} loc(#loc)
#loc1 = loc(fused["x", #loc2])
#loc2 = loc("y"(#loc))

{-#
  external_resources: {
    mlir_reproducer: {
      pipeline: "builtin.module(canonicalize)",
      disable_threading: true,
      verify_each: true
    }
  }
#-}
