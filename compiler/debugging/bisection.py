"""Finds the first pass of a pipeline after which a fault shows, and within it the first rewrite."""

from __future__ import annotations

from dataclasses import dataclass

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.diagnostics.progress import Progress, silent
from ...passes.rewrite_counter import RewriteCounter
from .experiment import Experiment
from .predicate import Predicate


@dataclass(frozen=True)
class Culprit:
    """The pass that makes the fault show: its `number` (from 0) in the pipeline, its text, and what the predicate
    said after it.
    """

    number: int
    text: str
    evidence: str


def first_pass(
    experiment: Experiment, predicate: Predicate, progress: Progress = silent
) -> Culprit:
    """Return the first pass after which the predicate holds, and tell `progress` which one is tried.

    Raises DiagnosticError if the predicate holds before any pass, or after none, or if it has no meaning for the input.
    """
    predicate.check(experiment)
    if (evidence := predicate.holds(experiment.with_passes(()))) is not None:
        raise DiagnosticError(
            "the fault shows before any pass ran",
            notes=[evidence],
            hint="it is in the input: reduce that with smalti-reduce",
        )
    found = predicate.first_pass(experiment, progress)
    progress("passes", len(experiment.passes), len(experiment.passes))
    if found is not None:
        number, evidence = found
        return Culprit(number, experiment.passes[number], evidence)
    raise DiagnosticError(
        "the fault shows after no pass of the pipeline",
        hint="check the predicate's options and the pipeline",
    )


@dataclass(frozen=True)
class Rewrite:
    """Rewrite `number` (from 1) of the `total` that a pass does: the pattern, and where it matched."""

    number: int
    total: int
    pattern: str
    place: str


def first_rewrite(
    experiment: Experiment, predicate: Predicate, culprit: Culprit, progress: Progress = silent
) -> Rewrite | None:
    """Return the first rewrite of the guilty pass with which the fault shows.

    Returns None if the pass does no rewrites, or if the fault shows without them. Searches by halves for the least
    number of rewrites that shows the fault: O(log n) runs, of which `progress` is told.
    """
    until = experiment.with_passes(experiment.passes[: culprit.number + 1])
    fault = predicate.same_fault(until)

    def shows(limit: int | None) -> RewriteCounter | None:
        counter = RewriteCounter(limit)
        return counter if fault.holds(until.with_counter(counter)) is not None else None

    whole = shows(None)
    if whole is None or not whole.done or shows(0) is not None:
        return None
    low, high, total = 0, len(whole.done), len(whole.done)
    runs = (total - 1).bit_length()
    while high - low > 1:
        left = (high - low - 1).bit_length()
        progress(f"rewrites: {low + 1} to {high} of {total}", runs - left, runs)
        middle = (low + high) // 2
        if shows(middle) is not None:
            high = middle
        else:
            low = middle
    progress("rewrites", runs, runs)
    pattern, place = whole.done[high - 1]
    return Rewrite(high, total, pattern, place)
