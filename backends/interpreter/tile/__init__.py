"""The interpreter of tile IR."""
