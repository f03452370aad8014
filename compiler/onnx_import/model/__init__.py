"""Reads an ONNX model: its file, its tensors, the shapes of its inputs; and checks it."""
