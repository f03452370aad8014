"""What can be computed where, how far tensors and programs are from each other."""
