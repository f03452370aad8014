"""Passes on `top` that change weights and biases so that a quantized network loses less."""
