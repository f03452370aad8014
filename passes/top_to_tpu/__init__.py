"""From what a network does to what the target computes: `convert-top-to-tpu`."""
