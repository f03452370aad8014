"""`convert-tpu-to-tile`: converts tensors to buffers, and ops to layers."""
