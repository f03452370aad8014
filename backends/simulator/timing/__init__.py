"""Cycles: the machine, its costs and shared bandwidth, and what happened when."""
