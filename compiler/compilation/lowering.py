"""Takes IR of any level the rest of the way to isa by the default passes, and times it."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

from ...backends.program.assemble import assemble
from ...backends.simulator.simulate import simulate
from ...backends.simulator.timing.timing_result import Timing
from ...dialects.context import SmaltiContext
from ...passes.top.annotate_calibration import has_ranges
from .compilation import Compilation, CompileOptions


def lower_to_isa(module: ModuleOp, ctx: SmaltiContext) -> None:
    """Lowers to isa, in place, from where the module stands.

    top IR without ranges is lowered as f32, for the default target; lower IR as it says.

    Raises:
        DiagnosticError: if the IR cannot be lowered, such as tile IR with half-cut layers.
    """
    options = CompileOptions(quantize="int8" if has_ranges(module) else "f32")
    Compilation(module, ctx, options, keep_levels=False).lower_to("isa")


def timing_of(module: ModuleOp, ctx: SmaltiContext) -> Timing:
    """Times isa IR, run once from cold; raises DiagnosticError if it cannot be encoded."""
    timing = simulate(assemble(module, ctx), None, mode="timing").timing
    assert timing is not None
    return timing
