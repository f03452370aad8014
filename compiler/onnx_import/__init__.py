"""Imports ONNX models into the top dialect."""
