"""Finds what 8 bits would lose: values that stay in floats, and parts of concats that need a scale of their own."""
