"""What an import function works with: the node of ONNX, the values that it knows, and the builder of top ops."""
