"""Finds the columns or channels of an output that are much worse than its other ones.

One figure for a whole output hides them: boxes of 0 to 640 beside scores of 0 to 1 look fine as one tensor even when
the scores are lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .comparison import Difference, finite_pairs

SPREAD_DB = 20.0
"""Parts are told apart if their signal-to-noise ratios differ by more than this."""
LEAST_ELEMENTS = 16
"""A part of fewer elements is not judged: its ratio is a matter of chance."""
_LEAST_DB = -20.0
"""How a part is ranked whose reference is all zero, or that has infinities where its reference has none."""


@dataclass(frozen=True)
class Part:
    """A range of an output's columns or channels, `first` to `last`: all among the worse or all among the better."""

    axis: int
    kind: str
    first: int
    last: int
    difference: Difference

    def __str__(self) -> str:
        if self.first == self.last:
            return f"{self.kind} {self.first}"
        return f"{self.kind}s {self.first}..{self.last}"

    def to_json(self) -> dict[str, Any]:
        """Return the axis, the first and the last index, and the measures of the range."""
        place = {"axis": self.axis, "kind": self.kind, "first": self.first, "last": self.last}
        measures = self.difference.to_json()
        return {"tensor": measures.pop("tensor"), **place, **measures}


@dataclass(frozen=True)
class OutputDifference:
    """How far an output is from its reference, and its `parts` if they differ by more than 20 dB (else none)."""

    whole: Difference
    parts: tuple[Part, ...] = ()

    @staticmethod
    def between(name: str, got: np.ndarray, reference: np.ndarray) -> OutputDifference:
        """Measure an output and its columns (the last axis) and channels (axis 1, if that is another).

        If the parts along both axes differ, those are taken which fewer ranges describe.
        """
        whole = Difference.between(name, got, reference)
        axes = {1: "channel", reference.ndim - 1: "column"} if reference.ndim > 1 else {}
        found = [_parts(name, got, reference, axis, kind) for axis, kind in axes.items()]
        return OutputDifference(whole, min((each for each in found if each), key=len, default=()))


def _parts(
    name: str, got: np.ndarray, reference: np.ndarray, axis: int, kind: str
) -> tuple[Part, ...]:
    """Return the ranges of indices along an axis, or none if no index is much worse than another."""
    count = reference.shape[axis]
    if count < 2 or reference.size < LEAST_ELEMENTS * count:
        return ()
    ranges = _ranges(_ratios(got, reference, axis))

    def part(first: int, last: int) -> Part:
        chosen = (slice(None),) * axis + (slice(first, last + 1),)
        difference = Difference.between(name, got[chosen], reference[chosen])
        return Part(axis, kind, first, last, difference)

    return tuple(part(first, last) for first, last in ranges)


def _ratios(got: np.ndarray, reference: np.ndarray, axis: int) -> np.ndarray:
    """Return the signal-to-noise ratio of each index along an axis in dB, f64; inf where it is equal."""
    others = tuple(each for each in range(reference.ndim) if each != axis)
    a, b, _, unmatched = finite_pairs(got, reference)
    noise, signal = np.sum((a - b) ** 2, others), np.sum(b**2, others)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.maximum(10 * np.log10(signal / noise), _LEAST_DB)
    ratios[noise == 0] = math.inf
    ratios[unmatched.any(others)] = _LEAST_DB
    return ratios


def _ranges(ratios: np.ndarray) -> list[tuple[int, int]]:
    """Cut indices into ranges of the worse and the better ones, if their ratios differ by more than `SPREAD_DB`.

    The widest gap between the sorted ratios divides worse from better. An index that equals its reference (a ratio of
    inf) may stand in any range.
    """
    judged = np.flatnonzero(ratios != math.inf)
    levels = np.sort(ratios[judged])
    if not len(levels) or levels[-1] - levels[0] <= SPREAD_DB:
        return []
    better = ratios[judged] > levels[np.argmax(np.diff(levels))]
    starts = judged[1:][better[1:] != better[:-1]].tolist()
    return [*zip([0, *starts], [start - 1 for start in [*starts, len(ratios)]], strict=True)]
