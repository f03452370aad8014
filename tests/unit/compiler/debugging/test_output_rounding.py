"""Outputs that are integers after floats may differ by one step, those before floats by nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from smalti.backends.diagnostics.diagnostic import Diagnostic, DiagnosticError
from smalti.compiler.compilation.compilation import Compilation, start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.debugging.numerics_verification import NumericsVerifier
from smalti.compiler.debugging.output_rounding import output_roundings
from smalti.dialects import tpu
from smalti.dialects.ir.attribute import real
from smalti.dialects.quant.number_format import NumberFormat
from smalti.passes.pipeline import run_pipeline
from smalti.passes.smalti_pass import Level, SmaltiPass
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp


def network() -> onnx.ModelProto:
    """Return convolutions before a softmax, which give output `a`, after it, `b`, and a softmax of the latter, `c`."""
    rng = np.random.default_rng(0)
    weights = [
        onnx.numpy_helper.from_array(rng.normal(0, 0.5, (8, 8, 1, 1)).astype(np.float32), name)
        for name in ("w0", "w1")
    ]
    nodes = [
        oh.make_node("Conv", ["x", "w0"], ["a0"]),
        oh.make_node("Relu", ["a0"], ["a"]),
        oh.make_node("Softmax", ["a"], ["s"], axis=3),
        oh.make_node("Conv", ["s", "w1"], ["b0"]),
        oh.make_node("Relu", ["b0"], ["b"]),
        oh.make_node("Softmax", ["b"], ["c"], axis=3),
    ]
    shape = [1, 8, 4, 4]
    ports = [oh.make_tensor_value_info(name, 1, shape) for name in ("x", "a", "b", "c")]
    graph = oh.make_graph(nodes, "main", ports[:1], ports[1:], weights)
    return oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)])


def quantized() -> tuple[Compilation, list[Diagnostic]]:
    """Return the network at level tpu, in INT8, and what is reported of it from now on."""
    options = CompileOptions(target="edge-1c", calibration="random:0")
    compilation = start_from_model(network(), options)
    compilation.lower_to("tpu")
    told: list[Diagnostic] = []
    compilation.ctx.on_report = told.append
    return compilation, told


@dataclass(frozen=True)
class RaiseLeast(SmaltiPass):
    """Raise the least value that a layer gives by steps of its scale."""

    name = "test-raise-least"
    level: ClassVar[Level] = "tpu"
    layer: str = "b"
    steps: int = 1

    def run(self, ctx: Context, module: ModuleOp) -> None:
        """Change the clamp."""
        for op in module.walk():
            if isinstance(op, tpu.ClampedOp) and op.result_name.data == self.layer:
                op.properties["clamp_low"] = real(
                    self.steps * NumberFormat.of(op.output.type).scale
                )


def verified(*passes: SmaltiPass) -> list[Diagnostic]:
    """Run passes while their numbers are verified, and return what is reported."""
    compilation, told = quantized()
    verifier = NumericsVerifier("random:1")
    run_pipeline(compilation.ctx, compilation.module, passes, instruments=[verifier])
    return told


def test_what_comes_before_each_output_is_known():
    found = output_roundings(quantized()[0].module)
    assert not found["a"].is_after_floats and found["a"].step > 0
    assert found["b"].is_after_floats and found["b"].step > 0
    assert found["c"].is_after_floats and found["c"].share == pytest.approx(1 / 255)


def test_one_step_after_floats_is_counted():
    (remark,) = [each for each in verified(RaiseLeast()) if "test-raise-least" in each.message]
    assert remark.severity == "remark" and "of the 128 values of output 'b' by one step" in (
        remark.message
    )


@pytest.mark.parametrize(("layer", "steps"), [("b", 2), ("a", 1)])
def test_two_steps_after_floats_and_one_before_are_refused(layer: str, steps: int):
    with pytest.raises(DiagnosticError, match=f"output '{layer}' differs by"):
        verified(RaiseLeast(layer, steps))


def test_the_default_passes_keep_integers_and_floats():
    compilation, told = quantized()
    verifier = NumericsVerifier("random:1")
    passes = compilation.passes_down_to("isa")
    run_pipeline(compilation.ctx, compilation.module, passes, instruments=[verifier])
    assert not [each for each in told if "output 'a'" in each.message]
