"""The levels of IR, from what a network does to the instructions of a machine."""

from __future__ import annotations

from typing import Literal, get_args

Level = Literal["top", "tpu", "tile", "isa"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""The levels that have IR, highest first; below them is the program file."""
NETWORK_LEVELS: tuple[Level, ...] = ("top", "tpu")
"""The levels whose ops work on the tensors of a network; below them, ops work on bytes of memories."""
STAGES = (*LEVELS, "schedule", "program")
"""What a compilation can write: the IR of each level, how layers are carried out, and the program file."""
