"""The host at the inputs and outputs of a program: it converts the model's numbers to the device's and back."""
