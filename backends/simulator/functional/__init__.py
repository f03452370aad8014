"""Values: a program's instructions executed on bytes."""
