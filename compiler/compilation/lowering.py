"""Lowers IR of any level to isa with the default passes, and times isa IR."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

from ...backends.program.assemble import assemble
from ...backends.simulator.simulate import simulate
from ...backends.simulator.timing.timing_result import Timing
from ...dialects.ir.context import SmaltiContext
from ...passes.top.annotate_calibration import has_ranges
from .compilation import Compilation
from .compile_options import CompileOptions


def lower_to_isa(module: ModuleOp, ctx: SmaltiContext) -> None:
    """Lower to isa, in place, from where the module stands.

    Top IR is lowered for the default target, as int8 if it has calibrated ranges and else as f32. Lower IR says itself
    which target and types it is for.

    Raises:
        DiagnosticError: if the IR cannot be lowered, such as tile IR with half-tiled layers.
    """
    options = CompileOptions(quantize="int8" if has_ranges(module) else "f32")
    Compilation(module, ctx, options, keep_levels=False).lower_to("isa")


def timing_of(module: ModuleOp, ctx: SmaltiContext) -> Timing:
    """Time isa IR, run once from cold. Raises DiagnosticError if it cannot be encoded."""
    timing = simulate(assemble(module, ctx), None, mode="timing").timing
    assert timing is not None
    return timing
