"""The interface of tilers: how a layer of one kind may be divided, what that costs, and which tiles compute it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from math import lcm, prod
from typing import ClassVar, NamedTuple

from ....dialects import tpu
from ....dialects.tile import Schedule
from ...tiling.cost import CostModel, Work, address_count, window_bytes
from ...tiling.layout import Layout
from ...tiling.tile_sizes import Footprint, TriedTile
from ...tiling.windows import Window, sizes_of
from .constants import Constants
from .emitter import Emitter
from .layer import Layer
from .slabs import Alias


class TileWork(NamedTuple):
    """What a tile needs: `load_bytes` from global memory, without weights; the matrix unit for the cycles of
    `products`, one after the other, each with the boxes that it reads of inputs in local memories, by their index; and
    then the vector unit for some cycles, which reads the boxes `read`.
    """

    load_bytes: int
    products: tuple[tuple[float, tuple[tuple[int, Window], ...]], ...]
    vector_cycles: float
    read: tuple[tuple[int, Window], ...]


class Reading(NamedTuple):
    """What it takes to read boxes of inputs: bytes on the global bus and from local memories, and in how many runs;
    and the boxes of the latter, by the index of the input.
    """

    load_bytes: int
    load_runs: int
    copied_bytes: int
    boxes: tuple[tuple[int, Window], ...]


class Tiler(ABC):
    """Tiles one layer, whose op is of the kind that the class is for."""

    moves_by_emitter: ClassVar[bool] = False
    """Whether the layer's tiles read tensors by `Emitter.load` and `fill_box`, and write them by `store`, which also
    take and leave them in local memories.
    """

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        self.layer = layer
        self.costs = costs
        self.slices = 1
        """In how many slices, of the layer's window each, the output is computed."""
        self.tried: list[TriedTile] | None = None
        """What `plan` looks at is appended here, with the sizes of a schedule's tile, if this is a list."""

    @abstractmethod
    def units(self) -> tuple[int, ...]:
        """Return for each logical axis of the output the unit at whose multiples (counted from 0) a window may end; 0
        if the axis may not be divided.
        """

    @abstractmethod
    def work(self, window: Window) -> Work:
        """Return what computing `window` of the output costs a core, by the cost model."""

    @abstractmethod
    def plan(self, window: Window, decided: Schedule, constants: Constants) -> Schedule:
        """Return the schedule of `window` of the output, complete: what is `decided`, and the tiles that the cost model
        finds cheapest for the rest.

        Raises DiagnosticError if what is decided cannot be carried out, or if not even the smallest tile fits.
        """

    @abstractmethod
    def emit(
        self, window: Window, schedule: Schedule, emitter: Emitter, constants: Constants
    ) -> None:
        """Emit the copies and computations for `window` of the output, as `schedule`, which is complete, says."""

    def tile_boxes(self, window: Window, schedule: Schedule) -> list[Window]:
        """Return the boxes of the output that the tiles of `window` are, in the order in which a complete schedule
        computes them. Unless overridden, `window` is one.
        """
        return [window]

    def tile_work(self, box: Window, schedule: Schedule) -> TileWork:
        """Return what a tile of a complete schedule costs that computes `box` of the output."""
        work = self.work(box)
        return TileWork(work.load_bytes, (), work.vector_cycles, work.boxes)

    def tile_options(self, window: Window, schedule: Schedule) -> list[Schedule]:
        """Return schedules of other tiles for `window`, which by itself takes not much longer in them than in those of
        `schedule`, which is complete. Unless overridden, there are none.
        """
        return []

    def least_work(self, window: Window) -> Work:
        """Return what computing `window` of the output costs the units in any schedule, by a cost model of least costs.
        Unless overridden, this is the work that the tiles of `window` are.
        """
        return self.work(window)

    def elements_read(self, index: int) -> int:
        """Return how many elements of input `index` computing the whole output needs at least. Unless overridden, these
        are all.
        """
        return prod(self.layer.inputs[index].layout.shape)

    @property
    def table_bytes(self) -> int:
        """How many bytes of parameters, made of constants among the inputs, the whole output needs besides."""
        return 0

    @property
    def mixes_all(self) -> bool:
        """Whether each constant of the layer is multiplied with elements from everywhere in the first input, so that
        none has done its work before all of that input is there.
        """
        return False

    @property
    def may_stay_on_chip(self) -> bool:
        """Whether what the layer reads and writes may be in local memories."""
        return self.moves_by_emitter

    @property
    def multicasts_weights(self) -> bool:
        """Whether cores load at once the weights that they share."""
        decided = self.layer.operation.decided.weights
        return self.costs.multicasts if decided is None else decided == "multicast"

    @property
    def global_inputs(self) -> Collection[int]:
        """The inputs, by index, that tiles read in global memory only. Unless overridden, there are none."""
        return ()

    def loads(self, index: int) -> bool:
        """Tell whether tiles read input `index` by `Emitter.load` alone, so that they may be views of one buffer with
        all that a part of the layer reads. Unless overridden, they do.
        """
        return True

    def aliases(self) -> Sequence[Alias]:
        """Return the inputs that the output has as they are, in a box of it, or the input of which the output is one.
        Unless overridden, there are none.
        """
        return ()

    def footprint(self, window: Window, schedule: Schedule) -> Footprint:
        """Return the memory that the buffers of one tile of `window` take, in a complete schedule. Unless overridden,
        this is all of the local memory.
        """
        return Footprint(self.costs.local_bytes, 0)

    def local_order(self, index: int) -> Sequence[int]:
        """Return the order of the axes of input `index` in the local buffers of tiles. Unless overridden, this is the
        one in which the tensor lies, so that whole rows are copied.
        """
        return self.layer.inputs[index].layout.order

    @property
    def stored_order(self) -> Sequence[int]:
        """The order of the axes of the output in the local buffers of tiles. Unless overridden, it is the one in which
        the tensor lies.
        """
        return self.layer.output.layout.order

    def store_runs(self, window: Window) -> int:
        """Return in how many runs `window` of the output is written to global memory."""
        output = self.layer.output
        if output.is_kept:
            return 0
        return address_count(self.costs, output.layout, window, self.stored_order)

    def store_bytes(self, window: Window) -> int:
        """Return how many bytes on the global bus it takes to write `window` of the output."""
        output = self.layer.output
        if output.is_kept:
            return 0
        return window_bytes(self.costs, output.layout, window, output.storage)

    def reading(self, boxes: Iterable[tuple[int, Window]]) -> Reading:
        """Return what it takes to read these boxes, each of the input of that index."""
        loaded = copied = runs = 0
        kept: list[tuple[int, Window]] = []
        for index, box in boxes:
            buffer, order = self.layer.inputs[index], self.local_order(index)
            if buffer.is_kept:
                copied += buffer.bytes_of(prod(sizes_of(box)))
                kept.append((index, box))
            else:
                loaded += window_bytes(self.costs, buffer.layout, box, buffer.storage)
            # What cores keep in the order of tiles is read where it lies, or comes in few runs.
            if not buffer.is_kept or tuple(order) != buffer.layout.order:
                runs += address_count(self.costs, buffer.layout, box, order)
        return Reading(loaded, runs, copied, tuple(kept))


def given_tile(
    layer: Layer,
    decided: Schedule,
    window: Window,
    units: Sequence[int],
    extents_of: Callable[[Window], Sequence[int]] = sizes_of,
) -> tuple[int, ...] | None:
    """Return the tile that is decided for a window of the output, no larger than that; None if none is. `extents_of`
    gives the extents of the loops for a window; unless given, these are the axes.

    Raises DiagnosticError unless each size is a multiple of the loop's unit or the whole extent, which it must be if
    the unit is 0, or if it is larger than in the whole layer.
    """
    if decided.tile is None:
        return None
    (tile,) = decided.tile
    extents = extents_of(window)
    if len(tile) != len(extents):
        raise layer.schedule_error(
            "tile",
            f"tile {list(tile)} has {len(tile)} sizes, the layer has {len(extents)} loops",
            f"give a size for each loop; the largest are {list(extents)}",
        )
    _check_no_larger(layer, tile, extents_of(layer.whole))
    sizes = tuple(min(size, extent) for size, extent in zip(tile, extents, strict=True))
    for axis, (size, extent, unit) in enumerate(zip(sizes, extents, units, strict=True)):
        if size < extent and (not unit or size % unit):
            rule = f"whole ({extent})" if not unit else f"a multiple of {unit}, or whole ({extent})"
            raise layer.schedule_error(
                "tile",
                f"tile {list(tile)} has size {size} along loop {axis}, which must be {rule}",
                "change the tile, or leave it out of the schedule",
            )
    return sizes


def _check_no_larger(layer: Layer, tile: Sequence[int], extents: Sequence[int]) -> None:
    """Raise DiagnosticError if a tile is larger than the whole layer, whose loops have these extents. It may be larger
    than a part, so that a schedule can say one tile for layers that are divided in several ways.
    """
    for loop, (size, largest) in enumerate(zip(tile, extents, strict=True)):
        if size > largest:
            raise layer.schedule_error(
                "tile",
                f"tile {list(tile)} has size {size} along loop {loop}, the whole layer has {largest}",
                f"give at most {largest} there, or leave the tile out of the schedule",
            )


def check_no_product(layer: Layer, decided: Schedule) -> None:
    """Raise DiagnosticError if a schedule decides what only layers that sum products have."""
    for name in ("depth", "order", "block"):
        if getattr(decided, name) is not None:
            raise layer.schedule_error(
                name,
                f"the schedule has '{name}', which only convolutions and matrix products have",
                f"leave '{name}' out",
            )


TilerFactory = Callable[[Layer, CostModel], Tiler]
"""A class of tilers, or a function that chooses one for a layer."""

Tilers = Mapping[type[tpu.TpuOp], TilerFactory]
"""The tilers of some ops, by the class of the op."""


def padded_units(layout: Layout, units: list[int], lane_group: int) -> tuple[int, ...]:
    """Return `units` changed so that no window ends inside a lane group of a padded buffer: then one core writes each
    padded row.
    """
    axis = layout.last_axis
    if axis is not None and layout.padding and units[axis]:
        units[axis] = lcm(units[axis], lane_group)
    return tuple(units)
