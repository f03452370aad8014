"""The program file: encoding, container, assembler."""
