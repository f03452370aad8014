"""What tilers build on: the layer, the interface, shared loops, and the emitter of tile ops."""
