"""What quantizing each layer does to the outputs of a network, and which layers to keep in floats."""
