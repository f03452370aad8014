"""Runs a search: rounds of points that a strategy proposes, each measured once, whatever is interrupted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from ...backends.diagnostics.progress import Progress, silent
from .evaluator import Evaluator, Measurement
from .executor import Executor, InProcess
from .record_file import RecordFile
from .space import Point, key_of
from .strategy import Strategy

Objective = Callable[[Measurement], float]
"""What a search makes small: a number for a measurement."""


@dataclass(frozen=True)
class Search:
    """What a search is made of.

    `objective` says which measurement is the best; None if none is. `record` is the path of the file that keeps
    measurements, None for none, and `made_of` what they depend on besides their points. `name` is shown with the
    progress.
    """

    evaluator: Evaluator
    objective: Objective | None = None
    record: str | Path | None = None
    made_of: Mapping[str, Any] = field(default_factory=dict)
    executor: Executor = field(default_factory=InProcess)
    progress: Progress = silent
    name: str = "search"

    def run(self, strategy: Strategy) -> SearchResult:
        """Measure what a strategy proposes until it proposes no more.

        The result depends on the evaluator and the strategy alone. Points that the record holds are not measured again.

        Raises DiagnosticError if an evaluation does, if a point cannot be measured, or if the record is of another
        search.
        """
        with ExitStack() as stack:
            record = None
            if self.record is not None:
                record = stack.enter_context(RecordFile(self.record, self.made_of))
            return _Run(self, strategy, record, {} if record is None else record.measured).run()


@dataclass(frozen=True)
class SearchResult:
    """The points that were measured, in the order in which they were proposed, and the best of them.

    `new` is how many of them no record held.
    """

    measured: Sequence[tuple[Point, Measurement]]
    best: tuple[Point, Measurement] | None
    new: int


@dataclass
class _Run:
    """A run of a search; `known` are the measurements so far, by the keys of their points."""

    search: Search
    strategy: Strategy
    record: RecordFile | None
    known: dict[str, Measurement]
    measured: list[tuple[Point, Measurement]] = field(default_factory=list)
    best_value: float = inf
    new: int = 0

    def run(self) -> SearchResult:
        best = None
        while points := self.strategy.propose():
            self._measure(points)
            found = [(point, self.known[key_of(point)]) for point in points]
            self.strategy.learn(found)
            for each in found:
                if self._note(each[1]):
                    best = each
            self.measured += found
        self.search.progress(self._shown(), 1, 1)
        return SearchResult(self.measured, best, self.new)

    def _measure(self, points: Sequence[Point]) -> None:
        """Measure those points of a round that are not known."""
        missing: dict[str, Point] = {}
        for point in points:
            if (key := key_of(point)) not in self.known:
                missing.setdefault(key, point)
        done = len(self.measured) + len(points) - len(missing)
        total = max(self.strategy.most_points, len(self.measured) + len(points))
        self.search.progress(self._shown(), done, total)
        if not missing:
            return
        unmeasured = list(missing.values())
        best = self.best_value
        for place, measured in self.search.executor.measure(self.search.evaluator, unmeasured):
            point = unmeasured[place]
            self.known[key_of(point)] = measured
            if self.record is not None:
                self.record.append(point, measured)
            self.new += 1
            done += 1
            if self.search.objective is not None:
                best = min(best, self.search.objective(measured))
            self.search.progress(self._shown(best), done, total)

    def _note(self, measured: Measurement) -> bool:
        """Tell whether a measurement is better than all before."""
        if self.search.objective is None:
            return False
        value = self.search.objective(measured)
        if not value < self.best_value:
            return False
        self.best_value = value
        return True

    def _shown(self, best: float | None = None) -> str:
        """Return the text beside the bar, which shows the time left."""
        value = self.best_value if best is None else best
        return self.search.name if value == inf else f"{self.search.name}: best {value:.4g}"
