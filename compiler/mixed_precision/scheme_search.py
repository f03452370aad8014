"""Searches the scheme of each layer: measures layers alone and in pairs, and proves what models propose by runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.diagnostics.progress import Progress, silent
from ...backends.targets.target import load_target
from ...passes.top_to_tpu.precision.schemes import SCHEMES
from ..search.evaluator import Measurement
from ..search.executor import Executor, InProcess
from ..search.search import Search
from ..search.space import Point
from ..search.strategy import GivenPoints, Strategy
from ..sensitivity.layer_groups import LayerGroup
from ..sensitivity.quantized_network import FLOAT, Choice, ChoiceEvaluator, NetworkSource
from ..sensitivity.sensitivity import content_of
from .candidates import Candidates, Run, best_run, by_cycles
from .goal import Goal
from .integer_program import cheapest_schemes, check_solver
from .interactions import interacting_pairs, shrunk_interaction
from .layer_model import LayerModel, LayerScheme


@dataclass(frozen=True)
class SchemeSearch:
    """What a search found: the `chosen` network, whether it reaches the goal, and all whole networks that were run.

    `front` are those than which none is both faster and better. `left_out` are schemes that were not considered for
    single layers, with the reason.
    """

    goal: Goal
    chosen: Run
    reached: bool
    runs: Sequence[Run]
    front: Sequence[Run]
    left_out: Mapping[str, str]
    groups: Sequence[LayerGroup]
    points: int


def search_schemes(
    source: NetworkSource,
    goal: Goal,
    schemes: Sequence[str],
    *,
    executor: Executor | None = None,
    record: str | Path | None = None,
    progress: Progress = silent,
) -> SchemeSearch:
    """Return the schemes with the least simulated cycles with which the network of `source` reaches a goal, on its
    data; if none do, those that come nearest.

    Raises DiagnosticError if no scheme computes the network, if SciPy is not installed, or as `Search.run` does.
    """
    check_solver()
    return _Run(source, goal, schemes, executor or InProcess(), record, progress).run()


@dataclass
class _Run:
    source: NetworkSource
    goal: Goal
    schemes: Sequence[str]
    executor: Executor
    record: str | Path | None
    progress: Progress
    points: int = 0
    left_out: dict[str, str] = field(default_factory=dict)

    def run(self) -> SchemeSearch:
        self.evaluator = ChoiceEvaluator(self.source)
        if self.goal.measure != "metric":
            self.evaluator.network.check_cosines_tell("--at-least")
        self.made_of = content_of(self.evaluator.network, {})
        self.table = next(iter(self.source.tables))
        self.groups = list(self.evaluator.network.groups.values())
        uniform = self._uniform_networks()
        kept = self._worth_considering(uniform)
        singles = self._singles([each for each in kept if each != FLOAT])
        loss = LayerModel(
            {each: float(measured["loss"]) for each, measured in singles.items()},
            self._interactions(singles),
        )
        cycles = LayerModel(self._layer_cycles({name: uniform[name] for name in kept}), {})
        alike = {name: SCHEMES[name].activations for name in kept}
        layers, casts = [group.name for group in self.groups], self._cast_cycles()

        def solve(cycles: LayerModel, loss: LayerModel, budget: float) -> dict[str, str] | None:
            return cheapest_schemes(layers, kept, cycles, casts, alike, loss, budget)

        candidates = Candidates(loss, cycles, solve, self.goal, self.table, list(uniform.values()))
        if len(kept) > 1:
            self._search("run whole networks", candidates)
        runs = candidates.runs
        chosen, reached = best_run(runs, self.goal)
        return SchemeSearch(
            self.goal,
            chosen,
            reached,
            runs,
            front_of(runs, self.goal),
            self.left_out,
            self.groups,
            self.points,
        )

    def _uniform_networks(self) -> dict[str, Run]:
        """Run the network with each scheme for all layers; schemes that cannot compute it are left out."""
        choices = {name: self._whole(dict.fromkeys(self._names(), name)) for name in self.schemes}
        measured = self._search("one scheme for all", GivenPoints(list(choices.values())))
        found: dict[str, Run] = {}
        for name, (point, each) in zip(choices, measured, strict=True):
            if "error" in each:
                self.left_out[name] = each["error"]
            else:
                found[name] = Run(point["schemes"], each)
        if not found:
            reasons = [f"{name}: {why}" for name, why in self.left_out.items()]
            raise DiagnosticError(
                "none of the schemes computes the network on the target",
                notes=reasons,
                hint="name others with --scheme, or another target",
            )
        return found

    def _worth_considering(self, uniform: Mapping[str, Run]) -> list[str]:
        """Return the schemes than which no other is as fast and as good for the whole network, and better in one."""
        kept = []
        for name, run in uniform.items():
            better = [
                other
                for other, each in uniform.items()
                if each.cycles <= run.cycles
                and each.measured["loss"] <= run.measured["loss"]
                and (each.cycles, each.measured["loss"]) != (run.cycles, run.measured["loss"])
            ]
            if better:
                self.left_out[name] = f"{better[0]} is faster and loses less"
            else:
                kept.append(name)
        return kept

    def _singles(self, schemes: Sequence[str]) -> dict[LayerScheme, Measurement]:
        """Measure each layer alone by each scheme, all others in floats."""
        pairs = [(group.name, scheme) for group in self.groups for scheme in schemes]
        points = [Choice({name: scheme}, FLOAT, self.table).to_json() for name, scheme in pairs]
        measured = self._search("one layer", GivenPoints(points))
        return {each: found for each, (_, found) in zip(pairs, measured, strict=True)}

    def _interactions(
        self, singles: Mapping[LayerScheme, Measurement]
    ) -> dict[tuple[LayerScheme, LayerScheme], float]:
        """Measure pairs of layers, both by one scheme of integers."""
        schemes = dict.fromkeys(scheme for _, scheme in singles)
        pairs = [
            ((one, scheme), (other, scheme))
            for scheme in schemes
            if SCHEMES[scheme].quantizes
            for one, other in interacting_pairs(self.groups)
            if singles[one, scheme]["changes"] and singles[other, scheme]["changes"]
        ]
        points = [Choice(dict(pair), FLOAT, self.table).to_json() for pair in pairs]
        measured = self._search("pairs of layers", GivenPoints(points))
        return {
            (one, other): shrunk_interaction(
                found["losses"], singles[one]["losses"], singles[other]["losses"]
            )
            for (one, other), (_, found) in zip(pairs, measured, strict=True)
        }

    def _layer_cycles(self, uniform: Mapping[str, Run]) -> dict[LayerScheme, float]:
        """Return what each layer takes of the critical path of a network of one scheme."""
        return {
            (group.name, scheme): float(run.measured["layer_cycles"].get(group.name, 0.0))
            for scheme, run in uniform.items()
            for group in self.groups
        }

    def _cast_cycles(self) -> dict[tuple[str, str], float]:
        """Return what a cast between two layers takes on the vector units of all cores, about."""
        target = load_target(self.source.target)
        rate = target.lanes_of("f32") * target.cores
        shapes = self.evaluator.network.result_shapes()
        return {
            (read, group.name): prod(shapes[read]) / rate
            for group in self.groups
            for read in group.reads
        }

    def _names(self) -> list[str]:
        return [group.name for group in self.groups]

    def _whole(self, schemes: Mapping[str, str]) -> Point:
        return {**Choice(schemes, FLOAT, self.table).to_json(), "cycles": True}

    def _search(self, name: str, strategy: Strategy) -> Sequence[tuple[Point, Measurement]]:
        search = Search(
            self.evaluator, None, self.record, self.made_of, self.executor, self.progress, name
        )
        found = search.run(strategy)
        self.points += found.new
        return found.measured


def front_of(runs: Sequence[Run], goal: Goal) -> list[Run]:
    """Return the networks than which no other is as fast and better, the fastest first."""
    front: list[Run] = []
    for run in sorted(runs, key=lambda run: by_cycles(run, goal)):
        if not front or goal.quality(run.measured) > goal.quality(front[-1].measured):
            front.append(run)
    return front
