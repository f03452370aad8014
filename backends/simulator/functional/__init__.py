"""The functional simulator: computes values by executing a program's instructions on bytes."""
