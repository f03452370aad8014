"""`convert-tile-to-isa`: converts tiles to machine instructions, and derives their waits."""
