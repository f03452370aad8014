"""Names of SSA values: what is left of a tensor's name in MLIR's syntax."""

from __future__ import annotations

import re
from functools import lru_cache

_OTHERS = re.compile(r"[^A-Za-z0-9_]+")
_NUMBER = re.compile(r"_\d+$")


@lru_cache(maxsize=65536)
def value_name(name: str) -> str | None:
    """A name for an SSA value made from a tensor's or node's name; None where nothing is left of
    it.

    xDSL takes a number at the end for its own numbering and fails where nothing stands before it:
    what is left of "23" is "v23", of "_0" "v0".
    """
    text = _OTHERS.sub("_", name).strip("_")
    if not text:
        return None
    text = text if text[0].isalpha() else f"v{text}"
    return _NUMBER.sub("", text)
