"""Writes plugin packages to start from: what is in each, and the texts of their files."""
