"""The passes, in a folder per level."""
