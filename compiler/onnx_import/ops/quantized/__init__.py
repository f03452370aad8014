"""Imports ops of pre-quantized models, whose scales and zero points are kept."""
