"""IR as text: the assembly formats, the parser, the one-line reader, files."""
