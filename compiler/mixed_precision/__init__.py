"""Picks a scheme for each layer: the least simulated cycles with which the outputs stay as good as they have to be."""
