"""Measures how far tensors are from reference tensors: cosine, signal-to-noise ratio, largest error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.diagnostics.html_table import html_table


@dataclass(frozen=True)
class Difference:
    """How far one tensor is from its reference.

    `cosine`: of the angle between both as vectors, 1.0 if they are equal or both zero. `snr_db`:
    10·log10(Σ ref² / Σ (ref − got)²), inf if they are equal. `largest_error`: max |ref − got|.
    `reference_range`: max − min of the reference.
    """

    name: str
    cosine: float
    snr_db: float
    largest_error: float
    reference_range: float

    @property
    def range_share(self) -> float:
        """The largest error as a share of the reference's range; inf if the reference is constant and not met."""
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
        return {"tensor": self.name, **finite}

    @staticmethod
    def between(name: str, got: np.ndarray, reference: np.ndarray) -> Difference:
        """Measure `got` against `reference`, arrays of one shape, in f64."""
        a, b = got.astype(np.float64).ravel(), reference.astype(np.float64).ravel()
        noise = float(np.sum((a - b) ** 2))
        signal = float(np.sum(b**2))
        norms = math.sqrt(float(np.sum(a**2)) * signal)
        if noise == 0:
            cosine, snr = 1.0, math.inf
        else:
            cosine = float(a @ b) / norms if norms else 0.0
            snr = 10 * math.log10(signal / noise) if signal else -math.inf
        largest = float(np.max(np.abs(a - b))) if a.size else 0.0
        spread = float(b.max() - b.min()) if b.size else 0.0
        return Difference(name, cosine, snr, largest, spread)


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


def format_differences(differences: Sequence[Difference], limit: int | None = None) -> str:
    """Return a table as text, a line per tensor."""
    shown = differences[:limit]
    width = max([len(d.name) for d in shown] + [6])
    lines = [
        f"{'tensor':<{width}} {'cosine':>9} {'SNR [dB]':>9} {'largest error':>14} {'range':>10} {'error/range':>12}"
    ]
    for d in shown:
        lines.append(
            f"{d.name:<{width}} {d.cosine:>9.6f} {d.snr_db:>9.2f} {d.largest_error:>14.6g} "
            f"{d.reference_range:>10.4g} {d.range_share:>12.3g}"
        )
    if len(differences) > len(shown):
        lines.append(f"… {len(differences) - len(shown)} more (--limit 0 shows all)")
    return "\n".join(lines)


def differences_html(differences: Sequence[Difference]) -> str:
    """Return a table in HTML, a row per tensor."""
    rows = [
        [
            each.name,
            f"{each.cosine:.6f}",
            f"{each.snr_db:.2f}",
            f"{each.largest_error:.6g}",
            f"{each.reference_range:.4g}",
            f"{each.range_share:.3g}",
        ]
        for each in differences
    ]
    titles = ["tensor", "cosine", "SNR [dB]", "largest error", "range", "error/range"]
    return html_table("worst first", titles, rows)
