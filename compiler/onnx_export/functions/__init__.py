"""How calls of named functions become nodes of ONNX, family by family, as in backends/numerics/functions/families."""
