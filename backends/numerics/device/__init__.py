"""What each instruction computes, on whole tiles in packed, padded buffers."""
