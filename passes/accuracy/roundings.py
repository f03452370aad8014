"""The ways of rounding weights to integers."""

from __future__ import annotations

from collections.abc import Mapping

ROUNDINGS: Mapping[str, str] = {
    "nearest": "each weight to the nearest integer",
    "adaround": "up or down, so that layers give what they give in floats",
}
"""What the option `rounding` takes, and what each does."""
