"""Tiling one layer to local memory: a file per family of ops."""
