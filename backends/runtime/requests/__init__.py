"""Inferences that callers asked for, and the line in which they wait."""
