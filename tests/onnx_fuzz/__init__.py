"""Random well-typed ONNX graphs, run by Smalti and by ONNX Runtime."""
