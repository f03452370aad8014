"""Policies of batching: when those that wait start, and how many of them together."""
