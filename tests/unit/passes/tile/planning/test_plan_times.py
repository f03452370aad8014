"""The estimate of a whole plan: near the simulator, where memory is full of weights, too."""

from __future__ import annotations

from pathlib import Path

import pytest
from smalti.backends.simulator.simulate import simulate
from smalti.compiler.compilation.compilation import start_from_ir
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.driver.plan_tracing import PlanTracing

T = "tensor<1x256x14x14xf32>"
LAYERS = 6


def chain() -> str:
    """Return convolutions that follow each other, each with 1.1 MiB of weights in f16."""
    layers = "".join(
        f'  %w{at} = top.weight "w{at}" seed = {at} : tensor<256x256x3x3xf32>\n'
        f'  %y{at} = top.conv2d "y{at}" %y{at - 1}, %w{at} pads = [1, 1, 1, 1] : '
        f"({T}, tensor<256x256x3x3xf32>) -> {T}\n"
        for at in range(1, LAYERS + 1)
    )
    ports = '{smalti.inputs = ["x"], smalti.outputs = ["y"]}'
    head = f"func.func @main(%y0: {T}) -> {T} attributes {ports} {{\n"
    return f"{head}{layers}  func.return %y{LAYERS} : {T}\n}}\n"


@pytest.mark.share(3)
def test_the_estimate_is_near_the_simulator(tmp_path: Path):
    file = tmp_path / "chain.mlir"
    file.write_text(chain(), encoding="utf-8")
    compilation = start_from_ir(file, CompileOptions(quantize="f16"))
    tracing = PlanTracing()
    compilation.instruments = [tracing]
    timing = simulate(compilation.assemble(), None, mode="timing").timing
    assert tracing.trace is not None and timing is not None
    ends = [layer.done_cycles for layer in tracing.trace]
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(timing.cycles, rel=0.1)
