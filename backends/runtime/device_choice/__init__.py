"""Policies of AUTO: which of the devices that are ready gets an inference."""
