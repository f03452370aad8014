"""Delta debugging: the smallest part of a list that still passes a test.

Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE TSE 28(2), 2002
(ddmin), with the test of the parts themselves only at the end, of single items: what can be left out is searched for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def minimize(items: Sequence[T], test: Callable[[list[T]], bool]) -> list[T]:
    """Return a part of `items`, in order, for which `test` is true and of which no single item can be left out, nor all
    others, as where some must be left out at once.

    Takes for granted that `items` themselves pass. Tries to leave out ever smaller chunks: O(k · log n) tests where k
    items matter, at worst O(n²).
    """
    kept = list(items)
    size = max(1, len(kept) // 2)
    while kept:
        removed = False
        start = 0
        while start < len(kept):
            candidate = kept[:start] + kept[start + size :]
            if len(candidate) < len(kept) and test(candidate):
                kept = candidate
                removed = True
            else:
                start += size
        if size == 1 and not removed:
            break
        if not removed or size > len(kept):
            size = max(1, min(size, len(kept)) // 2)
    alone = ([item] for item in kept) if len(kept) > 1 else ()
    return next(filter(test, alone), kept)
