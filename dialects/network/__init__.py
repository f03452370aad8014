"""What the ops of top and tpu share: base classes, shapes, traits, rewriting."""
