"""Makes names of SSA values from names of tensors: keeps the characters that MLIR's syntax allows."""

from __future__ import annotations

import re
from functools import lru_cache

_OTHERS = re.compile(r"[^A-Za-z0-9_]+")
_NUMBER = re.compile(r"_\d+$")


@lru_cache(maxsize=65536)
def value_name(name: str) -> str | None:
    """Return a name for an SSA value made from a tensor's or node's name; None if no character of it can be kept.

    xDSL takes a number at the end of a name for its own numbering, and fails if nothing stands before the number: a
    name that comes down to "23" becomes "v23", and "_0" becomes "v0".
    """
    text = _OTHERS.sub("_", name).strip("_")
    if not text:
        return None
    text = text if text[0].isalpha() else f"v{text}"
    return _NUMBER.sub("", text)
