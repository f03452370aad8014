"""Passes on tpu IR."""
