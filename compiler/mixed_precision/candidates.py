"""The strategy that proposes whole networks: what models predict to be the cheapest, along a front and at the goal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..search.evaluator import Measurement
from ..search.space import Point
from ..sensitivity.quantized_network import Choice
from .goal import Goal
from .layer_model import LayerModel, Schemes

Solve = Callable[[LayerModel, LayerModel, float], dict[str, str] | None]
"""solve(cycles, loss, budget): the schemes with the least predicted cycles within a budget of predicted loss."""

_ROUNDS = 5
_LEAST_GAIN = 0.002
"""The share of cycles that a round has to gain for another one to follow."""
_MARGINS = (1.0, 0.9, 0.75)
"""Shares of the budget that are tried at once, as the model may be wrong."""


@dataclass
class Run:
    """A whole network that was run: its schemes, and what was measured."""

    schemes: Schemes
    measured: Measurement

    @property
    def cycles(self) -> int:
        """The simulated cycles."""
        return int(self.measured["cycles"])


@dataclass
class Candidates:
    """Proposes solutions of the integer program; a strategy of searches.

    The first round goes along the front: budgets of loss from that of the best network to that of the cheapest one,
    each solved with the model of pairs and with the additive model. Then the models are corrected by what was measured,
    and solved at the budget of the goal, until nothing new is found. The additive solution, of the model as it was
    measured, is always among those that are run.
    """

    loss: LayerModel
    cycles: LayerModel
    solve: Solve
    goal: Goal
    table: str
    runs: list[Run]
    front_points: int = 6
    rounds: int = 0
    _proposed: set[tuple[tuple[str, str], ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._proposed = {_key(run.schemes) for run in self.runs}

    @property
    def most_points(self) -> int:
        """How many networks are proposed at most."""
        return 2 * (self.front_points + (1 + _ROUNDS) * len(_MARGINS))

    def propose(self) -> Sequence[Point]:
        """Return solutions that were not run yet."""
        if self.rounds > _ROUNDS:
            return []
        loss, cycles = self.loss, self.cycles
        if self.rounds:
            loss = loss.corrected([(run.schemes, run.measured["loss"]) for run in self.runs])
            cycles = cycles.corrected([(run.schemes, run.cycles) for run in self.runs])
        budgets = self._goal_budgets() if self.rounds else self._front_budgets()
        self.rounds += 1
        points: list[Point] = []
        for budget in budgets:
            for model in (loss, self.loss.additive()):
                schemes = self.solve(cycles, model, budget)
                if schemes is not None and _key(schemes) not in self._proposed:
                    self._proposed.add(_key(schemes))
                    points.append({**Choice(schemes, "f32", self.table).to_json(), "cycles": True})
        return points

    def learn(self, measured: Sequence[tuple[Point, Measurement]]) -> None:
        """Note what was measured, and end the search if the goal is reached with no fewer cycles than before."""
        before, was_reached = best_run(self.runs, self.goal)
        self.runs += [
            Run(point["schemes"], each) for point, each in measured if "error" not in each
        ]
        if self.rounds > 1 and was_reached:
            now, _ = best_run(self.runs, self.goal)
            if now.cycles > (1 - _LEAST_GAIN) * before.cycles:
                self.rounds = _ROUNDS + 1

    def _front_budgets(self) -> list[float]:
        """Return budgets of loss between the least and the greatest that were measured, and that of the goal."""
        losses = [float(run.measured["loss"]) for run in self.runs if run.measured["loss"] > 0]
        if not losses:
            return []
        most = max(
            *losses, self.loss.value(max(self.runs, key=lambda run: run.measured["loss"]).schemes)
        )
        budgets = list(map(float, np.geomspace(min(*losses, most / 100), most, self.front_points)))
        return [*budgets, *self._goal_budgets()]

    def _goal_budgets(self) -> list[float]:
        """Return budgets near the loss at which the goal is just reached, as far as runs tell."""
        budget = self.goal.loss_budget
        if budget is None:
            good = [r.measured["loss"] for r in self.runs if self.goal.is_reached(r.measured)]
            bad = [r.measured["loss"] for r in self.runs if not self.goal.is_reached(r.measured)]
            above = [loss for loss in bad if loss > max(good, default=0.0)]
            if good and above:
                budget = float(np.sqrt(max(max(good), min(above) / 100) * min(above)))
            else:
                budget = 2 * max(good) if good else min(bad, default=0.0) / 2
        return [budget * margin for margin in _MARGINS if budget * margin > 0]


def best_run(runs: Sequence[Run], goal: Goal) -> tuple[Run, bool]:
    """Return the fastest network that reaches a goal, of equally fast ones the best and of these that with the least
    loss, and True; if none does, the best one and False. What counts is what was measured.
    """
    good = [run for run in runs if goal.is_reached(run.measured)]
    if good:
        return min(good, key=lambda run: by_cycles(run, goal)), True
    best = max(goal.quality(run.measured) for run in runs)
    short = [run for run in runs if goal.quality(run.measured) == best]
    return min(short, key=lambda run: by_cycles(run, goal)), False


def by_cycles(run: Run, goal: Goal) -> tuple[float, float, float]:
    """Return a key that sorts networks: the fastest first, of equally fast ones the best, then by the loss."""
    return run.cycles, -goal.quality(run.measured), run.measured["loss"]


def _key(schemes: Schemes) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(schemes.items()))
