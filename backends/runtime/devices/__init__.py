"""Devices: what policies know of a model that is loaded on one, the CPU by ONNX Runtime, and the simulated card."""
