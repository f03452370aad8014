"""What drives passes for a person who looks on: instruments, files in parts, expected diagnostics."""
