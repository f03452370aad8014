"""Exports functions of images."""
