"""The interface of tilers: how a layer of one kind may be divided, what that costs, and which tiles compute it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import lcm

from ....dialects import tpu
from ...tiling.cost import CostModel, Work, window_bytes
from ...tiling.layout import Layout
from ...tiling.windows import Window
from .constants import Constants
from .emitter import Emitter
from .layer import Layer


class Tiler(ABC):
    """Tiles one layer, whose op is of the kind that the class is for."""

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        self.layer = layer
        self.costs = costs

    @abstractmethod
    def units(self) -> tuple[int, ...]:
        """Return for each logical axis of the output the unit at whose multiples (counted from 0) a window may end; 0
        if the axis may not be divided.
        """

    @abstractmethod
    def work(self, window: Window) -> Work:
        """Return what computing `window` of the output costs a core, by the cost model."""

    @abstractmethod
    def emit(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        """Emit the copies and computations for `window` of the output, in tiles that fit.

        Raises DiagnosticError if not even the smallest tile fits.
        """

    def store_bytes(self, window: Window) -> int:
        """Return how many bytes on the global bus it takes to write `window` of the output."""
        output = self.layer.output
        return window_bytes(self.costs, output.layout, window, output.storage)

    def load_bytes(self, index: int, window: Window) -> int:
        """Return how many bytes on the global bus it takes to read `window` of input `index`."""
        buffer = self.layer.inputs[index]
        return window_bytes(self.costs, buffer.layout, window, buffer.storage)


Tilers = Mapping[type[tpu.TpuOp], type[Tiler]]
"""The tilers of some ops, by the class of the op."""


def padded_units(layout: Layout, units: list[int], lane_group: int) -> tuple[int, ...]:
    """Return `units` changed so that no window ends inside a lane group of a padded buffer: then one core writes each
    padded row.
    """
    axis = layout.last_axis
    if axis is not None and layout.padding and units[axis]:
        units[axis] = lcm(units[axis], lane_group)
    return tuple(units)
