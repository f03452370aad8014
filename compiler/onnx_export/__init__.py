"""Exports the top dialect as ONNX models."""
