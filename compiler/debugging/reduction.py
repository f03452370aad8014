"""Makes what shows a fault as small as possible: fewer ops, shortcuts, fewer passes, smaller shapes, in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.diagnostics.progress import Progress, silent
from ...dialects.level import NETWORK_LEVELS
from ..compilation.pipelines import level_of
from . import listing_reduction, network_reduction
from .experiment import Experiment, IrExperiment, OnnxExperiment
from .minimize import minimize
from .predicate import Predicate

E = TypeVar("E", bound=Experiment)

Report = Callable[[str], None]
"""Told what was made smaller, in a line."""


class Steps(Protocol[E]):
    """The ways in which a module makes one kind of start smaller."""

    def count(self, experiment: E, /) -> int:
        """Return the number of ops, nodes or instructions."""
        ...

    def keep(self, experiment: E, kept: Sequence[int], /) -> E | None:
        """Keep only these, by number."""
        ...

    def bypass(self, experiment: E, number: int, /) -> E | None:
        """Leave out one, and let its operand take its place."""
        ...

    def sizes(self, experiment: E, /) -> set[int]:
        """Return the sizes of axes."""
        ...

    def shrink(self, experiment: E, size: int, smaller: int, /) -> E | None:
        """Cut every axis of `size` elements to `smaller`."""
        ...


@dataclass(frozen=True)
class Reduced(Generic[E]):
    """The smallest experiment; `before` and `after` are the numbers of ops, `trials` counts how often the predicate
    was asked, `evidence` is what it said of the smallest, `inputs` are those that the fault needs to show.
    """

    experiment: E
    before: int
    after: int
    trials: int
    evidence: str
    inputs: Mapping[str, np.ndarray] | None


def reduce_ir(
    experiment: IrExperiment,
    predicate: Predicate,
    report: Report = lambda line: None,
    progress: Progress = silent,
) -> Reduced[IrExperiment]:
    """Return the smallest IR, and the fewest passes, for which the predicate still holds; `progress` is told of each
    trial, and how many ops are gone.

    Raises DiagnosticError if the predicate does not hold on the experiment as it is.
    """
    level = level_of(experiment.module)
    steps = network_reduction if level in NETWORK_LEVELS else listing_reduction
    return _Reducer(steps, predicate, report, progress).run(experiment)


def reduce_onnx(
    experiment: OnnxExperiment,
    predicate: Predicate,
    report: Report = lambda line: None,
    progress: Progress = silent,
) -> Reduced[OnnxExperiment]:
    """Return the smallest model, and the fewest passes, for which the predicate still holds; `progress` is told of each
    trial, and how many nodes are gone.

    Raises DiagnosticError if the predicate does not hold on the experiment as it is.
    """
    from . import onnx_reduction

    return _Reducer(onnx_reduction, predicate, report, progress).run(experiment)


class _Reducer(Generic[E]):
    """One reduction: the smallest experiment so far, and what was tried."""

    def __init__(
        self, steps: Steps[E], predicate: Predicate, report: Report, progress: Progress
    ) -> None:
        self.steps = steps
        self.predicate = predicate
        self.report = report
        self.progress = progress
        self.before = self.left = 0
        self.trials = 0
        self.evidence = ""

    def run(self, experiment: E) -> Reduced[E]:
        self.predicate.check(experiment)
        self.before = self.left = self.steps.count(experiment)
        if not self._holds(experiment):
            raise DiagnosticError(
                "the fault does not show on the input, so there is nothing to reduce",
                hint="check the predicate's options and the pipeline",
            )
        self.predicate = self.predicate.same_fault(experiment)
        best = self._passes(experiment)
        while True:
            size = self.left = self.steps.count(best)
            best = self._passes(self._bypasses(self._parts(best)))
            if self.steps.count(best) == size:
                break
        best = self._shapes(best)
        self._holds(best)
        inputs = self.predicate.inputs(best)
        self.progress("reduction", self.before, self.before)
        return Reduced(
            best, self.before, self.steps.count(best), self.trials, self.evidence, inputs
        )

    def _holds_smaller(self, candidate: E | None) -> bool:
        """Tell whether a candidate still shows the fault; one without any op is no use to a reader."""
        return candidate is not None and self.steps.count(candidate) > 0 and self._holds(candidate)

    def _holds(self, experiment: E) -> bool:
        self.trials += 1
        self.progress(f"reduction: trial {self.trials}", self.before - self.left, self.before)
        evidence = self.predicate.holds(experiment)
        self.evidence = evidence or self.evidence
        return evidence is not None

    def _parts(self, best: E) -> E:
        """Keep as few ops as possible; values of those left out become inputs."""
        count = self.steps.count(best)
        kept = minimize(range(count), lambda part: self._holds_smaller(self.steps.keep(best, part)))
        if len(kept) == count:
            return best
        self.report(f"{count} ops -> {len(kept)}")
        self.left = len(kept)
        smaller = self.steps.keep(best, kept)
        assert smaller is not None
        return smaller

    def _bypasses(self, best: E) -> E:
        """Leave ops out of chains, from the last to the first."""
        count = self.steps.count(best)
        for number in reversed(range(count)):
            candidate = self.steps.bypass(best, number)
            if candidate is not None and self._holds_smaller(candidate):
                best = candidate
        if self.steps.count(best) < count:
            self.report(f"{count} ops -> {self.steps.count(best)} by shortcuts")
        return best

    def _passes(self, best: E) -> E:
        """Keep as few passes as possible."""
        kept = minimize(best.passes, lambda part: self._holds(best.with_passes(part)))
        if len(kept) < len(best.passes):
            self.report(f"{len(best.passes)} passes -> {len(kept)}")
        return best.with_passes(kept)

    def _shapes(self, best: E) -> E:
        """Make every size as small as possible."""
        done: set[int] = set()
        while open_sizes := {size for size in self.steps.sizes(best) if size > 1} - done:
            size = max(open_sizes)
            done.add(size)
            for smaller in sorted({1, 2, size // 2} - {size}):
                candidate = self.steps.shrink(best, size, smaller)
                if candidate is not None and self._holds(candidate):
                    self.report(f"axes of {size} -> {smaller}")
                    best = candidate
                    break
        return best
