"""What the host does at the inputs and outputs of a program: it converts between the model's numbers and the device's."""
