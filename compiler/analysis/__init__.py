"""Analyses: which engine computes what, how far tensors are from their references, how programs differ."""
