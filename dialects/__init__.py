"""The dialects: quant, top, tpu, tile, isa, and what their IR refers to."""
