"""Measures how far tensors are from reference tensors: cosine, signal-to-noise ratio, largest error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError


@dataclass(frozen=True)
class Difference:
    """How far one tensor is from its reference.

    Elements that are the same infinity on both sides, or NaN on both sides, are equal and count for nothing else.
    `cosine`: of the angle between both as vectors, 1.0 if they are equal or both zero. `snr_db`:
    10·log10(Σ ref² / Σ (ref − got)²), inf if they are equal. `largest_error`: max |ref − got|.
    `reference_range`: max − min of 0 and the reference's finite elements; with 0 as in a quantized range, so that an
    output of one number has a range, too. `unmatched`: how many elements are infinite or NaN on one side and something
    else on the other; if there are any, the largest error is inf, the signal-to-noise ratio −inf, and the cosine that
    of the other elements.
    """

    name: str
    cosine: float
    snr_db: float
    largest_error: float
    reference_range: float
    unmatched: int = 0

    @property
    def equal(self) -> bool:
        """Whether every element equals its reference."""
        return self.snr_db == math.inf

    @property
    def range_share(self) -> float:
        """The largest error as a share of the reference's range; inf if the reference is all 0 and not met."""
        if not self.largest_error:
            return 0.0
        return self.largest_error / self.reference_range if self.reference_range else math.inf

    def to_json(self) -> dict[str, Any]:
        """Return the measures by name, units in the names; None stands for an infinite one."""
        measures = {
            "cosine": self.cosine,
            "snr_db": self.snr_db,
            "largest_error": self.largest_error,
            "reference_range": self.reference_range,
            "largest_error_range_share": self.range_share,
        }
        finite = {name: value if math.isfinite(value) else None for name, value in measures.items()}
        return {"tensor": self.name, "equal": self.equal, **finite, "unmatched": self.unmatched}

    @staticmethod
    def between(name: str, got: np.ndarray, reference: np.ndarray) -> Difference:
        """Measure `got` against `reference`, arrays of one shape, in f64."""
        a, b, exponent, unmatched = finite_pairs(got.ravel(), reference.ravel())
        noise, signal = float(np.sum((a - b) ** 2)), float(np.sum(b**2))
        norms = math.sqrt(float(np.sum(a**2)) * signal)
        if noise == 0:
            cosine, snr = 1.0, math.inf
        else:
            cosine = float(a @ b) / norms if norms else 0.0
            snr = 10 * math.log10(signal / noise) if signal else -math.inf
        largest = float(np.ldexp(np.max(np.abs(a - b), initial=0.0), exponent))
        if unmatched.any():
            largest, snr = math.inf, -math.inf
        wide = reference.astype(np.float64)
        finite = wide[np.isfinite(wide)]
        spread = float(finite.max(initial=0.0)) - float(finite.min(initial=0.0))
        return Difference(name, cosine, snr, largest, spread, int(unmatched.sum()))


def finite_pairs(
    got: np.ndarray, reference: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
    """Return both arrays in f64 divided by 2^exponent, the exponent, and which elements are unmatched, bool.

    Elements that are not finite on both sides are 0 in both; they are unmatched unless they are the same infinity or
    both NaN. The exponent makes the largest magnitude at most 1, so that sums of squares do not overflow.
    """
    a, b = got.astype(np.float64), reference.astype(np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    unmatched = ~(finite | (a == b) | (np.isnan(a) & np.isnan(b)))
    a, b = np.where(finite, a, 0.0), np.where(finite, b, 0.0)
    exponent = int(np.frexp(max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0)))[1])
    return np.ldexp(a, -exponent), np.ldexp(b, -exponent), exponent, unmatched


def compare_tensors(
    got: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]
) -> list[Difference]:
    """Return the differences of all tensors that both sides name, in the order of `got`.

    Raises:
        DiagnosticError: if no name is common to both, or if a tensor and its reference differ in shape.
    """
    names = [name for name in got if name in reference]
    if not names:
        raise DiagnosticError(
            "no output has the name of a reference tensor",
            notes=[
                f"outputs: {', '.join(sorted(got))}",
                f"reference: {', '.join(sorted(reference))}",
            ],
            hint="name the arrays of the reference file as the outputs",
        )
    for name in names:
        if got[name].shape != reference[name].shape:
            raise DiagnosticError(
                f"'{name}' has shape {got[name].shape}, its reference {reference[name].shape}",
                hint="make the reference with the same number of samples",
            )
    return [Difference.between(name, got[name], reference[name]) for name in names]


def worst_first(differences: Sequence[Difference]) -> list[Difference]:
    """Sort differences by signal-to-noise ratio, the lowest first."""
    return sorted(differences, key=lambda d: d.snr_db)
