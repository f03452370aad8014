"""Bisection: the pass, and the rewrite in it, that makes a fault show."""

import re
from pathlib import Path

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.calibration.samples import load_calibration_data
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.debugging.bisection import first_pass, first_rewrite
from smalti.compiler.debugging.experiment import IrExperiment
from smalti.compiler.debugging.inputs import InputSource
from smalti.compiler.debugging.predicate import ChangesNumbers, Fails
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module
from smalti.passes.pattern_driver import rewrite
from smalti.passes.rewrite_counter import RewriteCounter, counting
from smalti.passes.top.calibration_table import table_of, write_table

from .faulty_passes import (
    CLIPPED,
    FAULTY,
    SwapOperands,
    faulty_passes,
    ir_experiment,
    onnx_experiment,
    residual_network,
    tile_experiment,
)

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


@pytest.mark.usefixtures("faulty_passes")
def test_ir_that_no_longer_runs_is_the_fault():
    experiment = tile_experiment("canonicalize", "test-hoist-stores")
    culprit = first_pass(experiment, ChangesNumbers())
    assert (culprit.number, culprit.text) == (1, "test-hoist-stores")
    assert "what pass 'test-hoist-stores' makes no longer runs: step" in culprit.evidence
    assert "that nobody wrote" in culprit.evidence


@pytest.mark.usefixtures("faulty_passes")
def test_a_race_is_a_fault_though_the_numbers_are_right():
    net = start_from_model(residual_network(2), CompileOptions("edge-1c", None, "f32", None))
    net.lower_to("isa")
    experiment = IrExperiment(("cse", "test-drop-waits"), net.module, net.ctx)
    culprit = first_pass(experiment, ChangesNumbers())
    assert (culprit.number, culprit.text) == (1, "test-drop-waits")
    first, *notes = culprit.evidence.splitlines()
    assert "the program's result depends on chance" in first
    # Which two instructions, and for which bytes.
    instruction = r"core 0 instruction \d+ \(.*\)"
    race = (
        rf"  note: {instruction} reads bytes \d+ to \d+ of local memory of core 0, "
        rf"which {instruction} writes, and nothing orders the two"
    )
    assert any(re.match(race, note) for note in notes), notes


@pytest.mark.usefixtures("faulty_passes")
def test_pass_that_stops_is_the_fault():
    culprit = first_pass(ir_experiment("canonicalize", "test-refuses"), ChangesNumbers())
    assert culprit.number == 1
    assert culprit.evidence == "pass 'test-refuses' stops: op 12 cannot add 'r33'"


def test_network_that_does_not_run_is_told():
    """The fault that is looked for is one of a pass: what never ran shows nothing."""
    source = InputSource(
        {"x": np.full((1, 8, 8, 8), 1, np.float32), "z": np.ones(1)}, is_strict=True
    )
    with pytest.raises(DiagnosticError, match="no input 'z'"):
        first_pass(ir_experiment("cse"), ChangesNumbers(source))


@pytest.mark.usefixtures("faulty_passes")
def test_each_pass_has_the_tolerance_that_it_declares():
    predicate = ChangesNumbers()
    assert predicate.holds(ir_experiment("test-sloppy", "cse")) is None
    assert predicate.holds(ir_experiment("test-sloppy", "test-wrong-numbers")) is None
    assert ChangesNumbers(tolerance=1e-4).holds(ir_experiment("test-sloppy")) is not None


@pytest.mark.share(3)
def test_conversion_to_int8_is_no_fault():
    """It moves numbers by far more than 1e-4 of their range, and declares that."""
    experiment = onnx_experiment()
    data = load_calibration_data("random:1", experiment.start()[0])
    options = CompileOptions("edge-1c", None, "int8", data)
    net = start_from_model(experiment.model, options)
    net.lower_to("top")
    calibrated = IrExperiment(("convert-top-to-tpu{target=edge-1c}", "cse"), net.module, net.ctx)
    assert ChangesNumbers().holds(calibrated) is None
    assert ChangesNumbers(tolerance=1e-4).first_pass(calibrated) is not None


@pytest.mark.usefixtures("faulty_passes")
def test_random_inputs_reach_what_the_range_reaches():
    ctx = make_context()
    experiment = IrExperiment(("cse", "test-drop-clip"), parse_module(CLIPPED, ctx), ctx)
    assert first_pass(experiment, ChangesNumbers()).number == 1
    assert ChangesNumbers().inputs(experiment)["x"].max() == 20.0  # pyright: ignore


@pytest.mark.usefixtures("faulty_passes")
def test_ranges_that_a_pass_reads_from_a_table_are_filled(tmp_path: Path):
    write_table(table_of({"x": (-30.0, 20.0)}), tmp_path / "x.calibration")
    annotate = f'top-annotate-calibration{{table="{tmp_path / "x.calibration"}"}}'
    ctx = make_context()
    plain = CLIPPED.replace("!quant.calibrated<f32<-30.0:20.0>>", "f32")
    experiment = IrExperiment(("cse", "test-drop-clip"), parse_module(plain, ctx), ctx)
    assert ChangesNumbers().holds(experiment) is None
    assert (
        first_pass(experiment.with_passes((annotate, "test-drop-clip")), ChangesNumbers()).number
        == 1
    )


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
