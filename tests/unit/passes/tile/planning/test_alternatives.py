"""A network of many small layers is planned twice; that plan is taken which the estimate of all of it finds shorter."""

from __future__ import annotations

from pathlib import Path

import pytest
from smalti.compiler.compilation.compilation import start_from_ir
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.driver.plan_explanation import explanation_of_plans
from smalti.compiler.driver.plan_tracing import PlanTracing
from smalti.passes.tile.planning.decisions import WholePlan, read_trace
from smalti.passes.tiling.cost import PART_CYCLES

T = "tensor<1x16x14x14xf32>"


def chain(layers: int) -> str:
    """Return so many convolutions of few weights that follow each other."""
    ops = "".join(
        f'  %w{at} = top.weight "w{at}" seed = {at} : tensor<16x16x3x3xf32>\n'
        f'  %y{at} = top.conv2d "y{at}" %y{at - 1}, %w{at} pads = [1, 1, 1, 1] : '
        f"({T}, tensor<16x16x3x3xf32>) -> {T}\n"
        for at in range(1, layers + 1)
    )
    ports = '{smalti.inputs = ["x"], smalti.outputs = ["y"]}'
    head = f"func.func @main(%y0: {T}) -> {T} attributes {ports} {{\n"
    return f"{head}{ops}  func.return %y{layers} : {T}\n}}\n"


def plans(file: Path, layers: int) -> tuple[WholePlan, ...]:
    """Return the plans of a whole chain that are compared."""
    file.write_text(chain(layers), encoding="utf-8")
    compilation = start_from_ir(file, CompileOptions(quantize="f16"))
    tracing = PlanTracing()
    compilation.instruments = [tracing]
    compilation.lower_to("tile")
    assert tracing.trace is not None
    assert read_trace(tracing.trace.json()).plans == tracing.trace.plans
    return tracing.trace.plans


def test_the_shorter_of_two_plans_is_taken(tmp_path: Path) -> None:
    first, second = plans(tmp_path / "chain.mlir", 20)
    assert (first.part_cycles, second.part_cycles) == (PART_CYCLES, PART_CYCLES // 2)
    assert second.is_chosen == (second.done_cycles <= 0.99 * first.done_cycles)
    assert first.is_chosen != second.is_chosen


@pytest.mark.parametrize("layers", [1, 10])
def test_few_layers_have_one_plan(tmp_path: Path, layers: int) -> None:
    assert plans(tmp_path / "chain.mlir", layers) == ()


def test_both_plans_are_explained() -> None:
    lines = explanation_of_plans(
        (WholePlan(False, 18_694, False, 24), WholePlan(False, 18_079, True, 12))
    )
    assert lines[0] == "latency: divided as if one more core cost a layer so many cycles"
    assert [line.split() for line in lines[1:]] == [
        ["a", "core", "cycles"],
        ["24", "18,694"],
        ["*", "12", "18,079"],
        [],
    ]
