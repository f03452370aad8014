"""Executors: where points are measured, here in this process. `process_pool.py` and `dask_cluster.py` have others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from ...backends.diagnostics.diagnostic import DiagnosticError
from .evaluator import Evaluator, Measurement
from .space import Point, key_of

Done = tuple[int, Measurement]
"""The place of a point among those that were given, and what was measured at it."""

ATTEMPTS = 3
"""How often a point is tried whose worker crashes or takes too long."""


class Executor(Protocol):
    """Measures points. A context manager, at whose end no worker of its own is left."""

    def __enter__(self) -> Executor: ...

    def __exit__(self, *error: object) -> None: ...

    def measure(self, evaluator: Evaluator, points: Sequence[Point]) -> Iterator[Done]:
        """Yield the measurements of all points, in the order in which they are done.

        Raises DiagnosticError if an evaluation does, or if a point was tried too often.
        """
        ...


class InProcess(AbstractContextManager["InProcess"]):
    """Measures points one after the other in this process."""

    def __exit__(self, *error: object) -> None:
        return None

    def measure(self, evaluator: Evaluator, points: Sequence[Point]) -> Iterator[Done]:
        """Yield the measurements of all points, in their order."""
        for place, point in enumerate(points):
            yield place, evaluator.evaluate(point)


def given_up(point: Point, what: str) -> DiagnosticError:
    """Return the error for a point that was tried too often; `what` happened each time."""
    return DiagnosticError(
        f"a worker {what} in each of {ATTEMPTS} attempts at {key_of(point)}",
        hint="its last words are above; if memory ran out, use fewer workers",
    )
