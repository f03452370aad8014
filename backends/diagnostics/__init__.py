"""Diagnostics (what a user is told about a mistake) and files written whole or not at all; every layer uses both."""
