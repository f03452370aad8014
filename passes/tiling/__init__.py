"""The mathematics of windows, layouts, copies, allocation, tile sizes and cost, without IR."""
