"""Translation validation: passes that keep the numbers go through, one that does not is caught."""

from pathlib import Path

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.calibration.ranges import calibrate
from smalti.compiler.calibration.samples import load_calibration_data
from smalti.compiler.compilation.pipelines import (
    pass_text,
    passes_into,
    passes_of,
)
from smalti.compiler.debugging.experiment import IrExperiment
from smalti.compiler.debugging.inputs import InputSource
from smalti.compiler.debugging.numerics_verification import NumericsVerifier
from smalti.compiler.debugging.tolerance import coarsest_float
from smalti.compiler.onnx_import.importer import import_onnx
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module
from smalti.dialects.level import Level
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from smalti.passes.top.calibration_table import table_of, write_table

from .faulty_passes import faulty_passes, ir_experiment, residual_network, tile_experiment

__all__ = ["faulty_passes"]

LOWER: tuple[Level, ...] = ("tpu", "tile", "isa")


def pipeline(quantize: str, table: Path) -> str:
    """From top to isa, the ranges of `table` annotated."""
    texts = passes_of("top", target="edge-1c", quantize=quantize)
    texts.append(pass_text("top-annotate-calibration", table=str(table)))
    for level in LOWER:
        texts += passes_into(level, target="edge-1c", quantize=quantize)
    return ",".join(texts)


@pytest.mark.parametrize("quantize", ["int8", "f32", "f16", "bf16"])
def test_every_pass_of_the_default_pipeline_keeps_the_numbers(quantize: str, tmp_path: Path):
    ctx = make_context()
    module = import_onnx(residual_network(3), ctx)
    data = load_calibration_data("random:1", module)
    table = tmp_path / "table.json"
    write_table(table_of(calibrate(module, ctx.weights, data)), table)
    inputs = {name: array[:1] for name, array in data.items()}
    passes = parse_pipeline(pipeline(quantize, table))
    run_pipeline(ctx, module, passes, instruments=[NumericsVerifier(inputs)])


def error_of(experiment: IrExperiment, pipeline: str) -> str:
    """Run a pipeline while its numbers are verified, and return the text of the error."""
    with pytest.raises(DiagnosticError) as caught:
        run_pipeline(
            experiment.ctx,
            experiment.module,
            parse_pipeline(pipeline),
            instruments=[NumericsVerifier("random:3")],
        )
    return str(caught.value)


@pytest.mark.usefixtures("faulty_passes")
def test_pass_that_changes_numbers_is_named_with_its_rewrites():
    text = error_of(ir_experiment(), "top-fold-shapes,test-wrong-numbers,cse")
    assert "pass 'test-wrong-numbers': error: the pass changes what is computed" in text
    assert "output 'a65' differs by" in text
    assert "the first value that differs is 'a33'" in text, text
    assert "rewrite: swap_operands at add0" in text and "and 58 more rewrites" in text


@pytest.mark.usefixtures("faulty_passes")
def test_integer_network_has_no_tolerance(tmp_path: Path):
    ctx = make_context()
    module = import_onnx(residual_network(2), ctx)
    table = tmp_path / "table.json"
    data = load_calibration_data("random:1", module)
    write_table(table_of(calibrate(module, ctx.weights, data)), table)
    annotate = pass_text("top-annotate-calibration", table=str(table))
    run_pipeline(ctx, module, parse_pipeline(f"{annotate},convert-top-to-tpu"))
    assert coarsest_float(module) is None
    with pytest.raises(DiagnosticError, match="this tolerance: none"):
        run_pipeline(
            ctx, module, parse_pipeline("test-bump"), instruments=[NumericsVerifier("random:3")]
        )


@pytest.mark.usefixtures("faulty_passes")
def test_pass_after_which_nothing_runs_is_named():
    text = error_of(tile_experiment(), "test-hoist-stores")
    assert "pass 'test-hoist-stores': error: the IR ran before the pass and no longer does" in text
    assert "that nobody wrote" in text


SUM = """
func.func @main(%x: tensor<4xf32>) -> tensor<f32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %y = top.reduce "y" %x kind = "sum" axes = [0] : (tensor<4xf32>) -> tensor<f32>
  func.return %y : tensor<f32>
}
"""


@pytest.mark.parametrize("quantize", ["f32", "f16", "bf16"])
def test_an_output_of_one_number_may_be_rounded(quantize: str):
    ctx = make_context()
    module = parse_module(SUM, ctx)
    lowering = [f"convert-top-to-tpu{{target=edge-1c quantize={quantize}}}"]
    for level in LOWER[1:]:
        lowering += passes_into(level, target="edge-1c", quantize="f32")
    passes = parse_pipeline(",".join(lowering))
    run_pipeline(ctx, module, passes, instruments=[NumericsVerifier("random:0")])


def test_inputs_may_come_from_a_file(tmp_path: Path):
    experiment = ir_experiment()
    np.savez(tmp_path / "x.npz", **InputSource(seed=0).arrays(experiment.module))
    passes = parse_pipeline("canonicalize,cse")
    verifier = NumericsVerifier(tmp_path / "x.npz")
    run_pipeline(experiment.ctx, experiment.module, passes, instruments=[verifier])


@pytest.mark.parametrize(
    ("source", "message"), [("random:x", "has no seed"), ("absent.npz", "no such file")]
)
def test_sources_that_are_wrong(source: str, message: str):
    with pytest.raises(DiagnosticError, match=message):
        NumericsVerifier(source)


def test_wrong_input_name_is_told():
    experiment: IrExperiment = ir_experiment()
    verifier = NumericsVerifier({"y": np.zeros((1, 8, 8, 8), np.float32)})
    with pytest.raises(DiagnosticError, match="no input 'y'"):
        run_pipeline(experiment.ctx, experiment.module, [], instruments=[verifier])
