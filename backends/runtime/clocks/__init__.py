"""Clocks, real and virtual: what time it is, when things happen, and which work takes how long."""
