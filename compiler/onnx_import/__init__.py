"""From ONNX to the top dialect."""
