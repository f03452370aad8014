"""Registers the tiler of each op of the tpu dialect; families of ops and plugins register theirs in the same way."""

from __future__ import annotations

from ....backends.diagnostics.diagnostic import DiagnosticError
from ....dialects import tpu
from ...tiling.cost import CostModel
from ..tiler_bases.layer import Layer
from ..tiler_bases.tiler import Tiler, TilerFactory, Tilers
from . import (
    arithmetic,
    call,
    convolution,
    gathering,
    movement,
    normalization,
    pointwise,
    pooling,
    product,
    rearrangement,
    reduction,
    resampling,
)

_TILERS: dict[type[tpu.TpuOp], TilerFactory] = {}


def register_tilers(tilers: Tilers) -> None:
    """Add the tilers of some ops.

    Raises DiagnosticError if an op has a tiler already.
    """
    for op, tiler in tilers.items():
        if op in _TILERS:
            raise DiagnosticError(f"there is a tiler of {op.name} already")
        _TILERS[op] = tiler


def tiler_of(layer: Layer, costs: CostModel) -> Tiler:
    """Return the tiler for a layer. Raises DiagnosticError if no tiler is known for its op."""
    tiler = _TILERS.get(type(layer.op))
    if tiler is None:
        name = type(layer.op).__name__
        raise layer.error(
            "no class makes its tiles for tile-split-over-cores and tile-cut-to-local-memory",
            "derive one from smalti.passes.tile.tiler_bases.box_tiler.BoxTiler, and register it: "
            f"Plugin(tilers={{{name}: ...}}); or replace the op by others in a pass before",
        )
    return tiler(layer, costs)


for _family in (
    arithmetic,
    call,
    convolution,
    gathering,
    movement,
    normalization,
    pointwise,
    pooling,
    product,
    reduction,
    rearrangement,
    resampling,
):
    register_tilers(_family.TILERS)
