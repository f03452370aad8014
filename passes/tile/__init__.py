"""Passes on tile IR, and the mathematics of tilings without IR."""
