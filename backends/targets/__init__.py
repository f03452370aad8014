"""Targets: descriptions of machines (`target.py`, one TOML file each) and cycle formulas (`cycles.py`)."""
