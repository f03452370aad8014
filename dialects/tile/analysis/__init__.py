"""Analyses of tile programs: when each buffer is in use, and which bytes the weights are."""
