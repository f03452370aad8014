"""From tiles to machine instructions and their waits: `convert-tile-to-isa`."""
