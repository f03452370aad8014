"""The interface of the families of ops: how a kind of layer may be divided, what that costs, and
how it is cut.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import lcm

from ...tiling.cost import Machine, Work, window_bytes
from ...tiling.layout import Layout
from ...tiling.windows import Window
from .constants import Constants
from .emitter import Emitter
from .layer import Layer


class Tiler(ABC):
    """One layer of one kind of op, on one machine."""

    def __init__(self, layer: Layer, machine: Machine) -> None:
        self.layer = layer
        self.machine = machine

    @abstractmethod
    def units(self) -> tuple[int, ...]:
        """For each logical axis of the output the multiples (from 0) at which a window may end; 0:
        never inside.
        """

    @abstractmethod
    def work(self, window: Window) -> Work:
        """What computing `window` of the output costs a core, by the cost model."""

    @abstractmethod
    def emit(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        """The copies and computations for `window` of the output, in tiles that fit.

        DiagnosticError where not even the smallest tile fits.
        """

    def store_bytes(self, window: Window) -> int:
        """Bytes on the global bus to write `window` of the output."""
        output = self.layer.output
        return window_bytes(self.machine, output.layout, window, output.element_bytes)

    def load_bytes(self, index: int, window: Window) -> int:
        """Bytes on the global bus to read `window` of input `index`."""
        buffer = self.layer.inputs[index]
        return window_bytes(self.machine, buffer.layout, window, buffer.element_bytes)


def padded_units(layout: Layout, units: list[int], lane_group: int) -> tuple[int, ...]:
    """`units` such that no window ends inside a lane group of a padded buffer: then one core writes
    each padded row.
    """
    axis = layout.last_axis
    if axis is not None and layout.padding and units[axis]:
        units[axis] = lcm(units[axis], lane_group)
    return tuple(units)
