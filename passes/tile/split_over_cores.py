"""`tile-split-over-cores`: divides each layer among the cores, as its schedule says.

Before:

    tile.layer (…) -> %y window = [0, 1, 0, 64, 0, 56, 0, 56]
        schedule = #tile.schedule<cores = [0, 1], split = [1, 1, 2, 1], tile = [1, 64, 14, 56]> { … }

After:

    tile.layer core 0 (…) -> %y window = [0, 1, 0, 64, 0, 28, 0, 56] schedule = #tile.schedule<tile = […]> { … }
    tile.layer core 1 (…) -> %y window = [0, 1, 0, 64, 28, 56, 0, 56] schedule = #tile.schedule<tile = […]> { … }

A layer whose schedule does not say is divided along the axis, or the two, that the cost model finds
cheapest for it alone.

A slice of a layer of a group has as many parts as there are in it: fewer where it has too few rows.

The windows of a layer's parts are disjoint and cover its output. Channels are divided at whole lane
groups, so that a row's padding is written by one core. A small layer may run on fewer cores than
there are: each part reads its halo once more, and the weights that it shares with the others unless
they are multicast, and all share the bandwidth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from ...dialects import tile
from ...dialects.ir.attribute import integer, ints
from ...dialects.ir.target_attribute import target_of
from ...dialects.tile.schedule import ScheduleAttr
from ..smalti_pass import Level, SmaltiPass
from ..tiling.cost import CostModel
from ..tiling.windows import flatten
from .groups.slices import check_no_groups
from .planning.layer_parts import Parts, cheapest, check_core_count, possible_parts
from .tiler_bases.layer import Buffer, Layer
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
        cores = check_core_count(target, self.cores)
        costs = CostModel(target)
        program = tile.program_of(module)
        check_no_groups(program)
        buffers: dict[SSAValue, Buffer] = {}
        for op in list(program.body.block.ops):
            if isinstance(op, tile.GlobalOp):
                buffers[op.output] = Buffer.of(op)
            elif isinstance(op, tile.LayerOp) and op.core is None:
                layer = Layer.of(op, buffers)
                tiler = tiler_of(layer, costs)
                parts = cheapest(tiler, possible_parts(layer, tiler, op.decided, cores))
                _divide(op, parts)
                self.count("layers")
                self.count("parts", len(parts.cores))


def _divide(op: tile.LayerOp, parts: Parts) -> None:
    """Replace `op` by one layer per part."""
    rank = len(op.window.get_values()) // 2
    block = op.parent_block()
    assert block is not None
    for number, core, window in zip(parts.numbers, parts.cores, parts.windows, strict=True):
        part = op.clone()
        part.properties["core"] = integer(core)
        part.properties["window"] = ints(flatten(window[:rank]))
        part.properties.pop("schedule", None)
        schedule = op.decided.of_part(number)
        if schedule != tile.Schedule():
            part.properties["schedule"] = ScheduleAttr(schedule)
        part.location = op.location
        block.insert_op_before(part, op)
    op.detach()
    op.erase()
