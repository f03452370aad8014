"""`tile-split-over-cores`: divides each layer among the cores, along the axis that the cost model
finds cheapest.

Before:

    tile.layer (…) -> %y window = [0, 1, 0, 64, 0, 56, 0, 56] { … }

After, on two cores, by rows:

    tile.layer core 0 (…) -> %y window = [0, 1, 0, 64, 0, 28, 0, 56] { … }
    tile.layer core 1 (…) -> %y window = [0, 1, 0, 64, 28, 56, 0, 56] { … }

The windows of a layer's parts are disjoint and cover its output. Channels are divided at whole lane
groups, so that a row's padding is written by one core. A small layer may run on fewer cores than
there are: each part reads its halo and the weights that it shares with the others once more, and
all share the bandwidth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects import tile
from ...dialects.ir.attribute import integer, ints
from ...dialects.ir.target_attribute import target_of
from ..smalti_pass import Level, SmaltiPass
from ..tiling.cost import CostModel, split_cycles
from ..tiling.windows import Window, flatten, parts
from .tiler_bases.layer import Buffer, Layer
from .tiler_bases.tiler import Tiler
from .tilers.registry import tiler_of


@dataclass(frozen=True)
class SplitOverCores(SmaltiPass):
    """Divide each layer that has no core yet among `cores` cores (default: all of the target's)."""

    name = "tile-split-over-cores"
    level: ClassVar[Level] = "tile"
    counts: ClassVar[Mapping[str, str]] = {
        "layers": "layers split",
        "parts": "parts that they were split into",
    }

    cores: int | None = None
    """How many cores of the target to use; all unless given."""

    def run(self, ctx: Context, module: ModuleOp) -> None:
        target = target_of(module)
        cores = target.cores if self.cores is None else self.cores
        if not 1 <= cores <= target.cores:
            raise DiagnosticError(
                f"{cores} cores were asked for, target '{target.name}' has {target.cores}",
                hint=f"ask for 1 to {target.cores} cores, or compile for another target",
            )
        costs = CostModel(target)
        program = tile.program_of(module)
        buffers: dict[SSAValue, Buffer] = {}
        for op in list(program.body.block.ops):
            if isinstance(op, tile.GlobalOp):
                buffers[op.output] = Buffer.of(op)
            elif isinstance(op, tile.LayerOp) and op.core is None:
                layer = Layer.of(op, buffers)
                windows = best_split(layer, costs, cores)
                _divide(op, layer, windows)
                self.count("layers")
                self.count("parts", len(windows))


def best_split(layer: Layer, costs: CostModel, cores: int) -> list[Window]:
    """Return the windows of at most `cores` parts of the layer that have the fewest estimated cycles."""
    tiler = tiler_of(layer, costs)
    best = [layer.window]
    if cores == 1:
        return best
    least = split_cycles(costs, [tiler.work(layer.window)])
    for windows in _candidates(tiler, layer.window, cores):
        cycles = split_cycles(costs, map(tiler.work, windows))
        if cycles < least:
            best, least = windows, cycles
    return best


def _candidates(tiler: Tiler, window: Window, cores: int) -> list[list[Window]]:
    """Return the divisions of `window` along one axis into 2 to `cores` parts, each once."""
    result: list[list[Window]] = []
    counts = sorted(
        {cores, *(count for count in (2, 3, 4, 6, 8, 12, 16, 24, 32, 64) if count < cores)}
    )
    for axis, unit in enumerate(tiler.units()):
        if not unit:
            continue
        seen = {1}
        for count in counts:
            ranges = parts(window[axis], count, unit)
            if len(ranges) not in seen:
                seen.add(len(ranges))
                result.append([(*window[:axis], r, *window[axis + 1 :]) for r in ranges])
    return result


def _divide(op: tile.LayerOp, layer: Layer, windows: list[Window]) -> None:
    """Replace `op` by one layer per window, on cores 0, 1, …"""
    rank = len(op.window.get_values()) // 2
    block = op.parent_block()
    assert block is not None
    for core, window in enumerate(windows):
        part = op.clone()
        part.properties["core"] = integer(core)
        part.properties["window"] = ints(flatten(window[:rank]))
        part.location = op.location
        block.insert_op_before(part, op)
    op.detach()
    op.erase()
