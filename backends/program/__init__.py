"""The compiled program: its encoding, its file, and the assembler that makes it from isa IR."""
