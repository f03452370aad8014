"""Machine descriptions (`target.py`, one TOML file each) and cycle formulas (`cycles.py`)."""
