"""`tile-slice-groups`: divides the layers of each group into slices, in the order in which the group computes them.

Before:

    tile.group #tile.group<axis = 2, slices = 2, halos = kept> {
      tile.layer (…) -> %a window = [0, 1, 0, 64, 0, 56, 0, 56] { a 3x3 convolution }
      tile.layer (…) -> %y window = [0, 1, 0, 64, 0, 56, 0, 56] { another one }
    }

After:

    tile.layer slice 0 (…) -> %a window = [0, 1, 0, 64, 0, 29, 0, 56] { … }
    tile.layer slice 0 (…) -> %y window = [0, 1, 0, 64, 0, 28, 0, 56] { … }
    tile.layer slice 1 (…) -> %a window = [0, 1, 0, 64, 29, 56, 0, 56] { … }
    tile.layer slice 1 (…) -> %y window = [0, 1, 0, 64, 28, 56, 0, 56] { … }

A slice of the last layer is a part of its output along the group's axis. The layers before compute what the slice
reads: with `halos = kept` without what earlier slices have computed, with `halos = recomputed` all of it. With
`order = pipelined` a layer computes a slice while the layer before it computes the next one. What the schedule of a
layer says holds for each slice. Slices are counted over all groups of the program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from ....dialects import tile
from ....dialects.ir.attribute import integer, ints
from ....dialects.ir.target_attribute import target_of
from ...smalti_pass import Level, SmaltiPass
from ...tiling.cost import CostModel
from ...tiling.windows import flatten
from ..tiler_bases.layer import Buffer
from .slices import order_of_slices, slices_of_group


@dataclass(frozen=True)
class SliceGroups(SmaltiPass):
    """Replace each group by the layers of its slices."""

    name = "tile-slice-groups"
    level: ClassVar[Level] = "tile"
    counts: ClassVar[Mapping[str, str]] = {
        "groups": "groups divided into slices",
        "slices": "slices that they were divided into",
    }

    def run(self, ctx: Context, module: ModuleOp) -> None:
        """Slice the groups. Raises DiagnosticError if a layer cannot be computed in such slices."""
        program = tile.program_of(module)
        if not program.groups:
            return
        costs = CostModel(target_of(module))
        buffers: dict[SSAValue, Buffer] = {
            op.output: Buffer.of(op) for op in program.buffers if isinstance(op, tile.GlobalOp)
        }
        known = [op.slice_number for op in program.layers]
        first = 1 + max((number for number in known if number is not None), default=-1)
        block = program.body.block
        for group in program.groups:
            slices = slices_of_group(group.decided, group.layers, buffers, costs)
            layers = group.layers
            made: list[Operation] = []
            for at, number in order_of_slices(group.decided, len(layers), len(slices)):
                window = slices[at][number]
                if window is None:
                    continue
                layer = layers[number].clone()
                rank = len(layer.window.get_values()) // 2
                layer.location = layers[number].location
                layer.properties["window"] = ints(flatten(window[:rank]))
                layer.properties["slice"] = integer(first + at)
                made.append(layer)
            block.insert_ops_before(made, group)
            group.detach()
            group.erase()
            first += len(slices)
            self.count("groups")
            self.count("slices", len(slices))
