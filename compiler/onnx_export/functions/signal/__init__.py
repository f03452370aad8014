"""Exports functions of signals and texts."""
