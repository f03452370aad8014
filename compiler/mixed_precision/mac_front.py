"""The front of quality against the share of multiply-accumulates that few bits compute.

Which layers get the scheme of few bits is a knapsack: the least predicted loss with at least so many of the
multiply-accumulates. Layers are measured alone from both sides: one narrow in a network of wide ones, and one wide in a
network of narrow ones. The first tells what a layer loses alone, the second what it loses where all others are narrow
too. Between both, a layer's part at a share s is taken as (1 - s) · first + s · second, which is what a quadratic model
of all pairs gives on average, without the noise of its pairs. What both models propose is run, the models are
corrected by the runs, and what has lost least when it was run is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.diagnostics.progress import Progress, silent
from ..search.evaluator import Measurement
from ..search.executor import Executor, InProcess
from ..search.search import Search
from ..search.space import Point
from ..search.strategy import GivenPoints, Strategy
from ..sensitivity.layer_groups import LayerGroup
from ..sensitivity.quantized_network import Choice, ChoiceEvaluator, NetworkSource
from ..sensitivity.sensitivity import content_of
from .candidates import Run
from .knapsack import least_loss
from .layer_model import LayerModel

SHARES = (0.5, 0.7, 0.85, 0.95)
"""The shares of multiply-accumulates that are looked at unless others are given."""
_ROUNDING = 1e-9
"""By so much shares may be missed, as they are floats."""
_CORRECTIONS = 2
"""So often the models are corrected by runs."""


@dataclass(frozen=True)
class FrontPoint:
    """The network that loses least of those that were run with a share of multiply-accumulates of at least `share` in
    few bits: `macs_share` of them has it. `run` has its cycles, too. `additive` is what the knapsack over layers that
    were measured alone proposes, and `candidates` how many networks of at least that share were run.
    """

    share: float
    macs_share: float
    run: Run
    additive: Run
    candidates: int


@dataclass(frozen=True)
class MacFront:
    """The points of a front, with the networks that have one scheme at both ends; `wide` is the scheme of many bits."""

    wide: str
    narrow: str
    points: Sequence[FrontPoint]
    groups: Sequence[LayerGroup]
    measured: int


def front_by_macs(
    source: NetworkSource,
    wide: str,
    narrow: str,
    shares: Sequence[float] = SHARES,
    *,
    executor: Executor | None = None,
    record: str | Path | None = None,
    progress: Progress = silent,
) -> MacFront:
    """Return for each share of multiply-accumulates the network with at least that share by the scheme `narrow`, and
    the other layers by `wide`, that loses least on the data of `source`; 0 and 1 are added to the shares.

    Raises DiagnosticError if the network has no multiply-accumulates, if one of the schemes does not compute it, or as
    `Search.run` does.
    """
    return _Run(source, wide, narrow, shares, executor or InProcess(), record, progress).run()


@dataclass
class MacCandidates:
    """Proposes solutions of the knapsack for each share; a strategy of searches.

    `alone` and `last` are what layers lose by the narrow scheme where others are wide, and where they are narrow. The
    solution for `alone`, as it was measured, is always among what is run: the first one proposed for each share.
    """

    macs: Mapping[str, int]
    alone: Mapping[str, float]
    last: Mapping[str, float]
    least_loss: float
    wide: str
    narrow: str
    table: str
    shares: Sequence[float]
    runs: list[Run] = field(default_factory=list)
    additive: dict[float, Mapping[str, str]] = field(default_factory=dict)
    _round: int = 0
    _proposed: dict[tuple[str, ...], float] = field(default_factory=dict)

    @property
    def most_points(self) -> int:
        """How many networks are proposed at most."""
        return 2 * len(self.shares) * (1 + _CORRECTIONS)

    def propose(self) -> Sequence[Point]:
        """Return solutions that were not run yet."""
        if self._round > _CORRECTIONS:
            return []
        points: list[Point] = []
        for share in self.shares:
            for model in self._models(share):
                schemes = self._solved(model, share)
                if not self._round:
                    self.additive.setdefault(share, schemes)
                key = tuple(schemes)
                if key not in self._proposed:
                    self._proposed[key] = share
                    points.append(Choice(schemes, self.wide, self.table).to_json())
        self._round += 1
        return points

    def learn(self, measured: Sequence[tuple[Point, Measurement]]) -> None:
        """Note what was measured."""
        self.runs += [Run(point["schemes"], each) for point, each in measured]

    def share_of(self, schemes: Mapping[str, str]) -> float:
        """Return the share of multiply-accumulates of a network's narrow layers."""
        return sum(self.macs[name] for name in schemes) / sum(self.macs.values())

    def _models(self, share: float) -> list[LayerModel]:
        """Return the additive model and the one between both sides; after the first round, corrected by the runs of
        the share.
        """
        between = {
            name: (1 - share) * alone + share * self.last[name]
            for name, alone in self.alone.items()
        }
        models = [
            LayerModel({(name, self.narrow): max(loss, 0.0) for name, loss in each.items()}, {})
            for each in (self.alone, between)
        ]
        if not self._round:
            return models
        runs = [
            (run.schemes, float(run.measured["loss"]) - self.least_loss)
            for run in self.runs
            if self._proposed.get(tuple(run.schemes)) == share
        ]
        return [model.corrected(runs) for model in models]

    def _solved(self, loss: LayerModel, share: float) -> dict[str, str]:
        """Return the narrow layers that lose least, by a model, with at least a share of multiply-accumulates."""
        losses = [loss.single[name, self.narrow] for name in self.macs]
        narrow = least_loss(losses, list(self.macs.values()), share)
        return {name: self.narrow for name, chosen in zip(self.macs, narrow, strict=True) if chosen}


@dataclass
class _Run:
    source: NetworkSource
    wide: str
    narrow: str
    shares: Sequence[float]
    executor: Executor
    record: str | Path | None
    progress: Progress
    points: int = 0

    def run(self) -> MacFront:
        self.evaluator = ChoiceEvaluator(self.source)
        self.made_of = content_of(self.evaluator.network, {})
        self.table = next(iter(self.source.tables))
        network = self.evaluator.network
        network.check_cosines_tell("--front-by")
        macs = {name: count for name, count in network.macs().items() if count}
        if not macs:
            raise DiagnosticError(
                "the network has no multiply-accumulates",
                hint="search with --at-least, which counts cycles",
            )
        all_narrow = dict.fromkeys(macs, self.narrow)
        ends = [Run({}, self._cycles({})), Run(all_narrow, self._cycles(all_narrow))]
        least, most = (float(run.measured["loss"]) for run in ends)
        alone = self._singles(
            "one layer narrow",
            [Choice({name: self.narrow}, self.wide, self.table) for name in macs],
        )
        others = dict.fromkeys((name for name in network.groups if name not in macs), self.wide)
        last = self._singles(
            "one layer wide",
            [Choice({name: self.wide, **others}, self.narrow, self.table) for name in macs],
        )
        candidates = MacCandidates(
            macs,
            {name: found["loss"] - least for name, found in zip(macs, alone, strict=True)},
            {name: most - found["loss"] for name, found in zip(macs, last, strict=True)},
            least,
            self.wide,
            self.narrow,
            self.table,
            [share for share in sorted(set(self.shares)) if 0 < share < 1],
        )
        self._run("run whole networks", candidates)
        points = [self._point(share, candidates, ends) for share in candidates.shares]
        first = FrontPoint(0.0, 0.0, ends[0], ends[0], 1)
        end = FrontPoint(1.0, 1.0, ends[1], ends[1], 1)
        groups = list(network.groups.values())
        return MacFront(self.wide, self.narrow, [first, *points, end], groups, self.points)

    def _point(self, share: float, candidates: MacCandidates, ends: Sequence[Run]) -> FrontPoint:
        """Return the best of all networks that were run with a share, with its cycles."""
        runs = [
            run
            for run in [*candidates.runs, ends[1]]
            if candidates.share_of(run.schemes) >= share - _ROUNDING
        ]
        best = min(runs, key=lambda run: (run.measured["loss"], len(run.schemes)))
        additive = next(run for run in candidates.runs if run.schemes == candidates.additive[share])
        chosen = Run(best.schemes, self._cycles(best.schemes))
        macs_share = candidates.share_of(best.schemes)
        return FrontPoint(share, macs_share, chosen, additive, len(runs))

    def _cycles(self, schemes: Mapping[str, str]) -> Measurement:
        """Run a whole network and simulate its program. Raises DiagnosticError if the target cannot compute it."""
        point = {**Choice(schemes, self.wide, self.table).to_json(), "cycles": True}
        ((_, found),) = self._run("cycles", GivenPoints([point]))
        if "error" in found:
            schemes_of_it = f"'{self.wide}' and '{self.narrow}'" if schemes else f"'{self.wide}'"
            raise DiagnosticError(
                f"the target cannot compute the network by {schemes_of_it}: {found['error']}",
                hint="name other schemes with --scheme, or another target",
            )
        return found

    def _singles(self, name: str, choices: Sequence[Choice]) -> list[Measurement]:
        found = self._run(name, GivenPoints([each.to_json() for each in choices]))
        return [each for _, each in found]

    def _run(self, name: str, strategy: Strategy) -> Sequence[tuple[Point, Measurement]]:
        search = Search(
            self.evaluator, None, self.record, self.made_of, self.executor, self.progress, name
        )
        found = search.run(strategy)
        self.points += found.new
        return found.measured
