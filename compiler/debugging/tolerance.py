"""Says how far a pass may move the numbers: what it declares, for the types that the IR before it computes in."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ...dialects import tile, tpu
from ...dialects.network.traits import Converts, Moves
from ...dialects.quant.element_type import element_storage
from ...passes.smalti_pass import F32_TOLERANCE, SmaltiPass
from ..compilation.pipelines import level_of

_COARSENESS = {"f32": 1, "f64": 1, "f16": 500, "bf16": 4000}
"""By how much a rounding to each type is coarser than one to f32, in practice: a pass's tolerance
is for f32, integers have none."""


def declared_tolerance(each: ModulePass, module: ModuleOp) -> float:
    """Return what a pass declares for the coarsest type that `module`, the IR before it, computes in."""
    coarsest = coarsest_float(module)
    if coarsest is None:
        return each.integer_tolerance if isinstance(each, SmaltiPass) else 0.0
    declared = each.tolerance if isinstance(each, SmaltiPass) else F32_TOLERANCE
    return declared * _COARSENESS[coarsest]


def coarsest_float(module: ModuleOp) -> str | None:
    """Return the float type with the fewest bits that any op but casts and moves makes.

    Returns None if all ops compute in integers. top and isa IR count as f32.
    """
    if level_of(module) in ("top", "isa"):
        return "f32"
    made = {_storage_made(op) for op in module.walk()}
    return next((storage for storage in ("bf16", "f16", "f32", "f64") if storage in made), None)


def _storage_made(op: Operation) -> str | None:
    if isinstance(op, tpu.TpuOp):
        gives_what_is_there = not op.operands or Moves.holds(op) or Converts.holds(op)
        return None if gives_what_is_there else element_storage(op.output.type)
    if isinstance(op, tile.CoreOp) and not op.MOVES_ONLY:
        return element_storage(op.buffer_written.type)
    return None
