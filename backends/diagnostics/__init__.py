"""How a mistake is told, and files that are written whole or not at all: known to every other layer."""
