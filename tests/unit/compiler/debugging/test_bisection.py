"""Bisection: the pass, and the rewrite in it, that makes a fault show."""

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.debugging.bisection import first_pass, first_rewrite
from smalti.compiler.debugging.predicate import ChangesNumbers, Fails
from smalti.passes.pattern_driver import rewrite
from smalti.passes.rewrite_counter import RewriteCounter, counting

from .faulty_passes import FAULTY, SwapOperands, faulty_passes, ir_experiment

__all__ = ["faulty_passes"]


@pytest.mark.usefixtures("faulty_passes")
def test_pass_and_rewrite_are_found():
    experiment = ir_experiment("top-fold-shapes", "test-wrong-numbers", "cse")
    predicate = ChangesNumbers()
    culprit = first_pass(experiment, predicate)
    assert (culprit.number, culprit.text) == (1, "test-wrong-numbers")
    found = first_rewrite(experiment, predicate, culprit)
    assert found is not None
    assert (found.pattern, found.place) == ("drop_relu", FAULTY)
    # Rewrites go from the top down: a swap for each of the blocks 0 to 32 before it.
    assert (found.number, found.total) == (34, 66)


@pytest.mark.usefixtures("faulty_passes")
def test_pass_without_patterns_has_no_rewrite():
    experiment = ir_experiment("test-refuses")
    predicate = Fails("cannot add")
    assert first_rewrite(experiment, predicate, first_pass(experiment, predicate)) is None


def test_faults_that_no_pass_makes_are_diagnostics():
    with pytest.raises(DiagnosticError, match="after no pass"):
        first_pass(ir_experiment("canonicalize"), ChangesNumbers())
    with pytest.raises(DiagnosticError, match="before any pass"):
        first_pass(ir_experiment("no-such-pass"), _Always())


class _Always(ChangesNumbers):
    def holds(self, experiment: object) -> str | None:
        return "always"


def test_counter_counts_and_limits():
    whole = RewriteCounter()
    with counting(whole):
        rewrite(ir_experiment().module, [SwapOperands()])
    assert len(whole.done) == 66 and set(whole.done[0]) == {"swap_operands", "add0"}
    first = RewriteCounter(limit=2)
    with counting(first):
        assert rewrite(ir_experiment().module, [SwapOperands()]) == 2
    assert first.done == whole.done[:2]
