"""What runs passes while a person watches: instruments, input files in parts, expected diagnostics."""
