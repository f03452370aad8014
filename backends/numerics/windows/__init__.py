"""Arithmetic over sliding windows: convolutions, pools, resampling."""
