"""The dialects quant, top, tpu, tile and isa, and what their IR refers to."""
