"""Goals: how good the outputs have to be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ...backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean

Measure = Literal["cos", "metric", "agreement"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
"""The mean cosine of the outputs, the metric of the user's own, the share of equal decisions."""


@dataclass(frozen=True)
class Goal:
    """That a measure of the outputs is at least `least`."""

    measure: Measure
    least: float

    @staticmethod
    def parse(text: str) -> Goal:
        """Parse cos=0.999, metric=0.7 or agreement=99.5%. Raises DiagnosticError if it is no such text."""
        place = Place(name=f"--at-least {text}")
        name, _, value = text.partition("=")
        found: Measure | None = next((each for each in MEASURES if each == name), None)
        if found is None:
            raise DiagnosticError(
                f"there is no measure '{name}'",
                place,
                hint=did_you_mean(name, MEASURES) or f"the measures are {', '.join(MEASURES)}",
            )
        try:
            least = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
        except ValueError:
            least = math.nan
        if not math.isfinite(least) or (found != "metric" and not least <= 1):
            raise DiagnosticError(
                f"'{value}' is no value of {name}",
                place,
                hint="write cos=0.999, agreement=99.5% (both at most 1), or metric=NUMBER",
            )
        return Goal(found, least)

    def check(self, metric: str | None) -> None:
        """Raise DiagnosticError if the goal is about a metric of the user's own, and there is none."""
        if self.measure == "metric" and metric is None:
            raise DiagnosticError(
                "there is no metric",
                Place(name=f"--at-least metric={self.least:g}"),
                hint="give --metric, in Python metric=",
            )

    def quality(self, measured: Mapping[str, Any]) -> float:
        """Return the measure: the greater, the better."""
        return 1 - measured["loss"] if self.measure == "cos" else float(measured[self.measure])

    def is_reached(self, measured: Mapping[str, Any]) -> bool:
        """Tell whether the outputs are good enough."""
        return self.quality(measured) >= self.least

    @property
    def loss_budget(self) -> float | None:
        """The loss, 1 - the mean cosine, that the goal allows; None if it is about something else."""
        return 1 - self.least if self.measure == "cos" else None

    def __str__(self) -> str:
        return f"{self.measure} of at least {self.least:g}"
