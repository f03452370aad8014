"""The parts of the builder of `tpu` ops: ops and their names, constants, the ranges of activations."""
