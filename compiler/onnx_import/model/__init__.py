"""The ONNX model as it comes: its file, its tensors, its checks, the shapes of its inputs."""
