"""Picks the schemes with the least cycles whose predicted loss stays within a budget, as an integer program.

    minimize    Σ cycles[l, s] x[l, s] + Σ casts[l, k] z[l, k]
    subject to  Σ_s x[l, s] = 1 for each layer l,                         x in {0, 1}
                Σ loss[l, s] x[l, s] + Σ interaction[p] y[p] <= budget
                y[p] is the product of the x of both layers of pair p
                z[l, k] is 1 where layers l and k, one of which reads the other, store numbers of different types

SciPy's HiGHS solves it (an extra, smalti[search]).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError
from .layer_model import LayerModel, LayerScheme

_NODE_LIMIT = 2000
"""The most nodes of the search tree. A limit of time would make results depend on the machine."""
_GAP = 1e-4


def cheapest_schemes(
    layers: Sequence[str],
    schemes: Sequence[str],
    cycles: LayerModel,
    casts: Mapping[tuple[str, str], float],
    stored_alike: Mapping[str, str],
    loss: LayerModel,
    budget: float,
) -> dict[str, str] | None:
    """Return the scheme of each layer; None if no choice stays within the budget.

    `casts` are the cycles of a cast between two layers, and `stored_alike` maps a scheme to the type in which it stores
    activations. Raises DiagnosticError if SciPy is not installed.
    """
    check_solver()
    from scipy.optimize import Bounds, milp

    program = _Program(layers, schemes, cycles, loss)
    program.choose_one()
    program.limit_loss(budget)
    program.charge_casts(casts, stored_alike)
    constraints = program.constraints()
    scale = max(1.0, float(np.abs(program.objective).max()))
    found = milp(
        np.array(program.objective) / scale,
        constraints=constraints,
        integrality=np.array(program.is_whole),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": _GAP, "node_limit": _NODE_LIMIT},
    )
    if found.x is None:
        return None
    return {
        layer: max(schemes, key=lambda scheme: found.x[program.at[layer, scheme]])
        for layer in layers
    }


def check_solver() -> None:
    """Raise DiagnosticError if SciPy is not installed."""
    try:
        import scipy.optimize  # noqa: F401
    except ImportError:
        raise DiagnosticError(
            "SciPy is not installed", hint="pip install 'smalti[search]'"
        ) from None


class _Program:
    """The variables and the rows of the integer program."""

    def __init__(
        self,
        layers: Sequence[str],
        schemes: Sequence[str],
        cycles: LayerModel,
        loss: LayerModel,
    ) -> None:
        self.layers, self.schemes, self.loss = layers, schemes, loss
        self.objective: list[float] = []
        self.is_whole: list[int] = []
        self.at: dict[LayerScheme, int] = {}
        self._rows: list[tuple[dict[int, float], float, float]] = []
        for layer in layers:
            for scheme in schemes:
                self.at[layer, scheme] = self._variable(cycles.single.get((layer, scheme), 0.0), 1)

    def choose_one(self) -> None:
        """Give each layer exactly one scheme."""
        for layer in self.layers:
            self._rows.append(({self.at[layer, scheme]: 1.0 for scheme in self.schemes}, 1.0, 1.0))

    def limit_loss(self, budget: float) -> None:
        """Keep the predicted loss within the budget; the row is divided by it, as solvers have absolute tolerances."""
        row = {
            self.at[each]: value / budget
            for each, value in self.loss.single.items()
            if each in self.at
        }
        for (one, other), value in self.loss.pairs.items():
            if value == 0 or one not in self.at or other not in self.at:
                continue
            both = self._variable(0.0, 0)
            row[both] = value / budget
            x, y = self.at[one], self.at[other]
            if value > 0:
                self._rows.append(({both: 1.0, x: -1.0, y: -1.0}, -1.0, np.inf))
            else:
                self._rows.append(({both: 1.0, x: -1.0}, -np.inf, 0.0))
                self._rows.append(({both: 1.0, y: -1.0}, -np.inf, 0.0))
        self._rows.append((row, -np.inf, 1.0))

    def charge_casts(
        self, casts: Mapping[tuple[str, str], float], stored_alike: Mapping[str, str]
    ) -> None:
        """Charge a cast between layers that store numbers of different types."""
        types = list(dict.fromkeys(stored_alike[scheme] for scheme in self.schemes))
        for (one, other), cycles in casts.items():
            for type in types:
                cast = self._variable(cycles, 0)
                row = {cast: 1.0}
                for scheme in self.schemes:
                    if stored_alike[scheme] == type:
                        row[self.at[one, scheme]] = -1.0
                        row[self.at[other, scheme]] = 1.0
                self._rows.append((row, 0.0, np.inf))

    def constraints(self) -> object:
        """Return the rows as SciPy takes them."""
        from scipy.optimize import LinearConstraint
        from scipy.sparse import csr_array

        places = [
            (number, column) for number, (row, _, _) in enumerate(self._rows) for column in row
        ]
        values = [value for row, _, _ in self._rows for value in row.values()]
        rows, columns = zip(*places, strict=True)
        matrix = csr_array((values, (rows, columns)), shape=(len(self._rows), len(self.objective)))
        lows = np.array([low for _, low, _ in self._rows])
        highs = np.array([high for _, _, high in self._rows])
        bounded: Any = LinearConstraint  # its types ask for one bound for all rows
        return bounded(matrix, lows, highs)

    def _variable(self, cost: float, whole: int) -> int:
        self.objective.append(cost)
        self.is_whole.append(whole)
        return len(self.objective) - 1
