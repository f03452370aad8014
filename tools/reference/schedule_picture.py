"""The picture of the page about schedules: the timeline of the network that the page follows through all passes."""

from __future__ import annotations

import re
from pathlib import Path

_PAGE = Path(__file__).resolve().parents[2] / "passes/tile/how_a_network_becomes_a_schedule.md"
_NETWORK = re.compile(r"^```mlir file=net\.top\.mlir\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CORES = 4
"""How many cores the page compiles for."""


def schedule_picture() -> str:
    """Return the picture as SVG text: compile and time the network whose text stands in the page."""
    from ...backends.simulator.simulate import simulate
    from ...backends.simulator.timeline_picture import timeline_picture
    from ...compiler.compilation.compilation import Compilation, CompileOptions
    from ...dialects.context import make_context
    from ...dialects.ir.text.module_text import parse_module

    network = _NETWORK.search(_PAGE.read_text(encoding="utf-8"))
    assert network is not None, f"{_PAGE.name} has no block net.top.mlir"
    ctx = make_context()
    module = parse_module(network[1], ctx, _PAGE.name)
    options = CompileOptions(cores=_CORES)
    program = Compilation(module, ctx, options, keep_levels=False).compile()
    timing = simulate(program, None, mode="timing").timing
    assert timing is not None
    return timeline_picture(timing)
