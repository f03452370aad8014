"""Calibration: finds the ranges of a network's tensors over example inputs."""
