"""What tilers are built on: the layer, the interface, shared loops, and the emitter of tile ops."""
