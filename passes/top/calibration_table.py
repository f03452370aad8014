"""Reads and writes the calibration table: a JSON file with the range of each tensor, by name.

{"format": 1, "ranges": {"image": [0.0, 1.0], "y": [-1.5, 6.0]}}
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.files import read_bytes, write_text

FORMAT = 1
"""The version of the format, in the field "format"."""
TABLE_LIMIT_BYTES = 256 << 20
"""The greatest size of a table: 256 MiB."""

Range = tuple[float, float]
"""The least and the greatest value of a tensor."""
Ranges = Mapping[str, Range]


def write_table(ranges: Ranges, path: str | Path) -> None:
    """Write a calibration table; if writing fails, the file stays as it was. Raises DiagnosticError if it fails."""
    table = {
        "format": FORMAT,
        "ranges": {name: [float(low), float(high)] for name, (low, high) in ranges.items()},
    }
    text = json.dumps(table, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(path, text)


def read_table(path: str | Path) -> Ranges:
    """Return the ranges of a calibration table, by name.

    Raises:
        DiagnosticError: if there is no such file, or if it is not a calibration table.
    """
    place = Place(file=str(path))
    hint = 'a table is {"format": 1, "ranges": {"name": [low, high]}}'
    try:
        table = json.loads(read_bytes(path, "the calibration table", TABLE_LIMIT_BYTES, hint))
    except json.JSONDecodeError as error:
        place = Place(file=str(path), line=error.lineno, column=error.colno)
        raise DiagnosticError(f"not JSON: {error.msg}", place, hint=hint) from None
    except (UnicodeDecodeError, RecursionError):
        raise DiagnosticError("not JSON", place, hint=hint) from None
    if not isinstance(table, dict) or not isinstance(table.get("ranges"), dict):
        raise DiagnosticError("not a calibration table: it has no 'ranges'", place, hint=hint)
    if table.get("format") != FORMAT:
        raise DiagnosticError(
            f"format is {table.get('format')!r}, this Smalti reads {FORMAT}", place, hint=hint
        )
    return {name: _check_range(name, bounds, place) for name, bounds in table["ranges"].items()}


def _check_range(name: str, bounds: Any, place: Place) -> Range:
    numbers = isinstance(bounds, list) and len(bounds) == 2
    if not numbers or any(
        isinstance(each, bool) or not isinstance(each, int | float) for each in bounds
    ):
        raise DiagnosticError(f"the range of '{name}' is not [low, high]", place)
    try:
        low, high = float(bounds[0]), float(bounds[1])
    except OverflowError:
        low = high = math.inf
    if not (math.isfinite(low) and math.isfinite(high)):
        raise DiagnosticError(f"the range of '{name}', {bounds}, is not finite", place)
    if low > high:
        raise DiagnosticError(f"the range of '{name}', {bounds}, is upside down", place)
    return low, high
