"""ONNX Runtime, the reference on the CPU."""
