"""Cuts a part out of IR of any level, into IR that runs by itself."""
