"""How the operators of ONNX are said in top: a file per family."""
