"""Defines the arithmetic of every operation, once, for the interpreters, the constant folder and the simulator."""
