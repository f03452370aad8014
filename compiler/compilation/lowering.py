"""Takes IR of any level the rest of the way to isa by the default passes, and times it."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp, TensorType

from ...backends.program.assemble import assemble
from ...backends.simulator.simulate import simulate
from ...backends.simulator.timing.timing import Timing
from ...dialects.context import SmaltiContext
from ...dialects.quant import CalibratedType
from ...passes.pipeline import run_pipeline
from ...passes.registry import parse_pipeline
from .pipelines import LEVELS, level_of, passes_into, passes_of


def lower_to_isa(module: ModuleOp, ctx: SmaltiContext) -> None:
    """Lowers to isa, in place, from where the module stands.

    top IR without ranges is lowered as f32, for the default target; lower IR as it says. Tile IR
    must have no half-cut layers. DiagnosticError where the IR cannot be lowered.
    """
    level = level_of(module)
    quantize = "int8" if _has_ranges(module) else "f32"
    texts = passes_of(level, target="default-8c", quantize=quantize)
    for below in LEVELS[LEVELS.index(level) + 1 :]:
        texts += passes_into(below, target="default-8c", quantize=quantize)
    run_pipeline(ctx, module, parse_pipeline(",".join(texts)))


def _has_ranges(module: ModuleOp) -> bool:
    return any(
        isinstance(result.type, TensorType) and isinstance(result.type.element_type, CalibratedType)
        for op in module.walk()
        for result in op.results
    )


def timing_of(module: ModuleOp, ctx: SmaltiContext) -> Timing:
    """The timing of isa IR, run once from cold. DiagnosticError where it cannot be encoded."""
    timing = simulate(assemble(module, ctx), None, mode="timing").timing
    assert timing is not None
    return timing
