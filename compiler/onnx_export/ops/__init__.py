"""How the ops of `top` become nodes of ONNX, family by family."""
