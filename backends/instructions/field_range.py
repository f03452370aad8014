"""Says what a field of an instruction may hold: the codes of names, and the range of its numbers.

The verifier of the isa dialect, the encoder and the check of program files share these rules.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from .fields import STORAGE_BY_CODE, Field


@cache
def code_names(field: Field) -> tuple[str, ...]:
    """Return the names that a storage or enum field can hold, by code."""
    if field.kind == "storage":
        return STORAGE_BY_CODE
    return field.values


@cache
def _codes(field: Field) -> dict[str, int]:
    return {name: code for code, name in enumerate(code_names(field))}


def named_code(field: Field, name: str) -> int:
    """Return the code of a name in a storage or enum field, -1 if the field has no such name."""
    return _codes(field).get(name, -1)


def field_code(field: Field, value: Any) -> Any:
    """Return the number that encodes `value`: a name's code (unknown names stay as they are), an f32 rounded, else the
    number.
    """
    if field.kind in ("storage", "enum") and isinstance(value, str):
        return _codes(field).get(value, value)
    if field.kind == "real" and field.dtype == "<f4":
        with np.errstate(over="ignore"):
            return float(np.float32(value))
    return value


def least(field: Field) -> int:
    """Return the smallest value of an integer field.

    Fields that count something (extents, pitches, numbers of runs) are at least 1: they are those whose default is not
    0, except strides.
    """
    if field.dtype[1] == "i":
        return int(np.iinfo(field.dtype).min)
    counts = field.kind == "int" and field.default != 0 and not field.name.endswith("_stride")
    return 1 if counts else 0


@cache
def bounds(field: Field) -> tuple[int, int]:
    """Return the smallest and the largest value (codes for names) of a field that is not real."""
    if field.kind in ("storage", "enum"):
        # Code 0 of a storage field is "none", which no instruction works on, unless that is the default.
        least_code = 1 if field.kind == "storage" and field.default is None else 0
        return least_code, len(code_names(field)) - 1
    if field.kind == "flag":
        return 0, 1
    high = int(np.iinfo(field.dtype).max)
    # The IR holds addresses as int64.
    return least(field), min(high, 2**63 - 1) if field.kind == "address" else high


def field_error(field: Field, value: Any) -> str | None:
    """Return why a field cannot hold a value (a code for names), or None if it can."""
    if field.kind == "real":
        if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
            return f"field '{field.name}' is a number, got {value!r}"
        if field.dtype == "<f4" and math.isfinite(value) and field_code(field, value) != value:
            return f"field '{field.name}' is stored as f32, which cannot hold {value!r}"
        return None
    if isinstance(value, str):
        known = ", ".join(name for name in code_names(field) if name != "none")
        return f"field '{field.name}' is one of {known}, got '{value}'"
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        return f"field '{field.name}' is an integer, got {value!r}"
    low, high = bounds(field)
    if low <= value <= high:
        return None
    if field.kind in ("storage", "enum"):
        known = ", ".join(code_names(field)[low:])
        shown = code_names(field)[value] if 0 <= value <= high else value
        return f"field '{field.name}' is one of {known}, got {shown}"
    return f"field '{field.name}' is {low} to {high} ({field.unit}), got {value}"
