"""From tensors to buffers and layers: `convert-tpu-to-tile`."""
