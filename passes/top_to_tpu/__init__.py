"""`convert-top-to-tpu`: converts what a network does to what the target computes."""
