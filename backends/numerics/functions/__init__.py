"""Named functions of tensors, of any number of operands and of any storage types: what the host computes for a network
because no engine does. Each file of `families` has a family of them; definitions are those of ONNX's operators.
"""
