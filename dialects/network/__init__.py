"""What the ops of top and tpu share: bases of ops, shapes."""
