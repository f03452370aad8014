"""Names the inputs and outputs that extraction makes of bytes of memory."""

from __future__ import annotations

from collections.abc import Collection


def unused_name(name: str, taken: Collection[str]) -> str:
    """Return a name that is not `taken`: with a number if another value lies at the same address at another time."""
    result, number = name, 1
    while result in taken:
        number += 1
        result = f"{name}_{number}"
    return result
