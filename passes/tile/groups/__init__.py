"""Groups of layers that are computed slice by slice."""
