"""Machine descriptions (`target.py`, one TOML file per machine) and cycle formulas (`cycles.py`)."""
