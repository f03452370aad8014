"""Models of what networks lose, or take, made of layers alone and in pairs, and corrected by runs of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Schemes = Mapping[str, str]
"""The scheme of each group of layers, by the name of the group."""
LayerScheme = tuple[str, str]
"""The name of a group of layers, and a scheme of it."""

_PASSES = 20
_STEP = 0.5
_MOST_FACTOR = 4.0


@dataclass(frozen=True)
class LayerModel:
    """Σ single + Σ pairs, over the layers and the pairs of layers that have the schemes."""

    single: Mapping[LayerScheme, float]
    pairs: Mapping[tuple[LayerScheme, LayerScheme], float]

    def value(self, schemes: Schemes) -> float:
        """Return what the model predicts for a network."""
        alone = sum(self.single.get(each, 0.0) for each in schemes.items())
        together = sum(
            value
            for (one, other), value in self.pairs.items()
            if schemes.get(one[0]) == one[1] and schemes.get(other[0]) == other[1]
        )
        return alone + together

    def additive(self) -> LayerModel:
        """Return the model without pairs."""
        return LayerModel(self.single, {})

    def corrected(self, runs: Sequence[tuple[Schemes, float]]) -> LayerModel:
        """Return the model with the parts of what was run larger or smaller, until it predicts what was measured.

        Each run corrects its own parts only, in proportion; no part changes by more than a factor of 4.
        """
        factors: dict[LayerScheme, float] = dict.fromkeys(self.single, 1.0)
        for _ in range(_PASSES):
            for schemes, measured in runs:
                scaled = self._scaled(factors)
                predicted = scaled.value(schemes)
                if predicted <= 0 or measured <= 0:
                    continue
                change = (measured / predicted) ** _STEP
                for each in schemes.items():
                    if each in factors:
                        factor = factors[each] * change
                        factors[each] = min(max(factor, 1 / _MOST_FACTOR), _MOST_FACTOR)
        return self._scaled(factors)

    def _scaled(self, factors: Mapping[LayerScheme, float]) -> LayerModel:
        """Return the model with the parts multiplied; a pair by the geometric mean of its layers' factors."""
        return LayerModel(
            {each: value * factors[each] for each, value in self.single.items()},
            {
                (one, other): value * (factors.get(one, 1.0) * factors.get(other, 1.0)) ** 0.5
                for (one, other), value in self.pairs.items()
            },
        )
