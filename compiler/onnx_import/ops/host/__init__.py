"""The import functions of operators that no engine computes: they become calls of named functions."""
