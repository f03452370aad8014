"""Passes on top IR."""
