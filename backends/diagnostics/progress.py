"""How a long-running step reports how far it is, without knowing who shows the progress."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as progress(what, done, total): a step's name, how much is done, how much there is.

The name may go on with ": " and what the step is at: "passes: cse" and "passes: canonicalize" are one step.
"""


def step_of(what: str) -> str:
    """Return the name of a step without what it is at."""
    return what.partition(": ")[0]


def silent(what: str, done: int, total: int) -> None:
    """Report progress to nobody."""
