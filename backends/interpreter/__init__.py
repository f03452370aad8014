"""Interpreters of top, tpu and tile IR."""
