"""Chooses the sizes of tiles so that they fit the local and accumulator memories: pure mathematics, no IR."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import NamedTuple

from ...backends.numerics.device.group_scales import stored_rows
from ...backends.numerics.device.packing import epilogue_table_bytes
from ...backends.numerics.packing import weight_row_bytes
from ...backends.numerics.rounding_up import ceil_div, round_up
from ...backends.numerics.storage import bytes_of
from ...backends.targets.alignment import align
from .cost import KEPT_TILE_CYCLES, TILE_CYCLES, CostModel, pipeline_cycles
from .windows import Range, tiles

FRACTIONS = (0.5, 1.0)
"""The shares of a memory that tiles may fill, in the order of preference: half leaves room to load the next tile
while this one is computed.
"""

MAX_POSITIONS = 2**16 - 1
"""The most rows or columns of an image that an instruction's fields can hold."""

_AHEAD = 0.15
"""The share of local memory that the weights of a tile may fill to be loaded far ahead. Found with the simulator: with
1.0 a layer of BERT takes 8% more cycles.
"""

FOLLOWING = 0.3
"""How much of what a layer takes the next one takes beside it, tile by tile, if it finds the output in local memory.
Found with the simulator: without it SqueezeNet takes 4% more cycles, and with 1 MobileNetV2.
"""

_MOST_SIMILAR = 12
"""The most tiles of a product that neighbors may choose: the more, the more instructions."""

_MORE_CYCLES, _MORE_LOADS = 1.4, 1.02
"""How many times the matrix cycles, and the loads from global memory, of a product's own best tiles those may take that
neighbors choose. The former are counted in whole tiles, so that up to half of the last one is none.
"""

_SIMILAR, _DIVIDED, _DEPTH_PARTS = 8, 4, (2, 3, 4)
"""Among how many tiles of a product neighbors choose, for how many of these the depth may be divided, and into how many
parts.
"""

_MOST_TILES = 8
"""The most tiles of a layer without products: a longer pipeline hides hardly more."""


def tile_sizes(extent: int, unit: int = 1) -> Iterator[int]:
    """Return the sizes of balanced tiles of `extent`, from the whole extent down, each once; all but the whole are
    multiples of `unit`.
    """
    units = ceil_div(extent, unit)
    count, last = 1, 0
    while count <= units:
        size = min(ceil_div(units, count) * unit, extent)
        if size != last:
            yield size
            last = size
        count += 1 if count < 4 else count // 2
    if last > unit:
        yield unit


def row_tiles(extents: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Return the sizes of tiles of nested rows, from the whole down: the outermost axis is divided first, and the next
    one once its size is 1.
    """
    for axis, extent in enumerate(extents):
        for size in tile_sizes(extent):
            if axis == 0 or size < extent:
                yield (*(1,) * axis, size, *extents[axis + 1 :])


@dataclass(frozen=True)
class Reach:
    """How many input positions t outputs read along one row axis: (t − 1)·stride + span, or all, which are `limit`, if
    fewer than `stride` would be left.
    """

    stride: int
    span: int
    limit: int

    def size(self, outputs: int) -> int:
        """Return how many input positions `outputs` neighboring outputs read."""
        read = (outputs - 1) * self.stride + self.span
        return read if self.limit - read >= self.stride else self.limit


@dataclass(frozen=True)
class Product:
    """A window of a convolution or matrix product, described as far as tile sizes depend on it.

    `rows` are the extents of the output's row axes (batch, height, width), and `reach` says what is read of the input
    along them. `depth` is the number of input channels that one output channel sums over per tap. `fan_in` is the
    number of input channels per output channel if they are not shared (grouped); 0 if all output channels read all
    `depth` channels. A tile's channels are a multiple of `unit`. Sizes are in bytes, of one element of input,
    accumulator and output. `table_rows` is the number of rows of 4-byte parameters.
    """

    engine: str
    storage: str
    acc_storage: str
    rows: tuple[int, ...]
    reach: tuple[Reach, ...]
    channels: int
    unit: int
    block: int
    taps: int
    depth: int
    fan_in: float
    groups: int
    out_storage: str
    residual: bool
    table_rows: int
    can_split_depth: bool
    row_limit: int = 2**32 - 1
    """The most positions along a row axis, in the input or the output, that an instruction counts.
    """
    depth_unit: int = 1
    """The weights' rows of `depth` elements are padded to a multiple of this many."""
    keeps_input: bool = False
    keeps_residual: bool = False
    keeps_output: bool = False
    """Whether input, residual and output stay in local memories."""
    sharing_weights: int = 1
    """How many cores load the same weights at once, so that they cross the bus once."""
    gathers_input: bool = False
    scatters_output: bool = False
    """Whether elements that lie side by side in a tile do not in the tensor, so that a DMA engine makes the address of
    each in a cycle.
    """
    packed: str = "none"
    """The storage type of weights, which may share bytes, if it is not the input's; else "none"."""
    scale_group: int = 0
    """How many input channels share a scale, which stands among the weights; 0 if there are no such scales."""
    rate: str = ""
    """The storage type at whose rate the products go, if that is not the input's."""

    def reads_in_place(self, channels: int, depth: int) -> bool:
        """Tell whether tiles of so many channels and such a depth read the input where it is kept: all its channels."""
        return (
            self.keeps_input
            and depth == self.depth
            and (not self.fan_in or channels >= self.channels)
        )

    def writes_in_place(self, channels: int) -> bool:
        """Tell whether tiles of so many channels are written where the output is kept: all its channels."""
        return self.keeps_output and channels >= self.channels

    def positions_read(self, rows: Sequence[int]) -> int:
        """Return how many positions of the input a tile of `rows` reads."""
        return prod(reach.size(size) for reach, size in zip(self.reach, rows, strict=True))

    def in_channels(self, channels: int, depth: int) -> int:
        """Return how many input channels a tile reads that has `channels` output channels and sums over `depth`
        channels.
        """
        return round(channels * self.fan_in) if self.fan_in else depth


@dataclass(frozen=True)
class ProductTiling:
    """The sizes of a product's tiles. With `channels_outer` the weights stay in memory while the rows change, otherwise
    the rows stay.
    """

    rows: tuple[int, ...]
    channels: int
    depth: int
    channels_outer: bool


@dataclass(frozen=True)
class GivenTile:
    """What is decided about a product's tiles already; None for what is not."""

    rows: tuple[int, ...] | None = None
    channels: int | None = None
    depth: int | None = None
    channels_outer: bool | None = None


@dataclass(frozen=True)
class Footprint:
    """How many bytes the buffers of one tile occupy at once."""

    local: int
    acc: int

    def fits(self, costs: CostModel, fraction: float) -> bool:
        """Tell whether the bytes fit into `fraction` of each memory."""
        return self.local <= costs.local_bytes * fraction and self.acc <= costs.acc_bytes * fraction


class Stages(NamedTuple):
    """The cycles of a window in the stages that its tiles pass through."""

    load: float
    matrix: float
    vector: float
    store: float


class TriedTile(NamedTuple):
    """Sizes of tiles that a search looked at: per row axis and of the channels, or per axis of a box.

    The buffers of a tile had to fit into the share `fraction` of each memory. The estimated cycles of the window are
    None if they were not needed to choose.
    """

    sizes: tuple[int, ...]
    footprint: Footprint
    fraction: float
    fits: bool
    stages: Stages | None = None
    cycles: float | None = None
    depth: int | None = None
    channels_outer: bool | None = None


def _input_bytes(
    costs: CostModel, p: Product, rows: Sequence[int], channels: int, depth: int
) -> int:
    pitch = round_up(p.in_channels(channels, depth), costs.lane_group)
    return bytes_of(p.positions_read(rows) * pitch, p.storage)


def _weight_bytes(p: Product, channels: int, depth: int) -> int:
    stored = stored_rows(round_up(depth, p.depth_unit), p.scale_group, p.storage, p.packed)
    rows = ceil_div(channels, p.block) * p.taps * stored
    return weight_row_bytes(p.block, p.storage, p.packed) * rows


def keeps_weights(costs: CostModel, p: Product, channels: int) -> bool:
    """Tell whether the weights of a tile of so many channels stay while its rows change, also if its depth is divided:
    those of all parts of it, if they take so little memory.
    """
    return _weight_bytes(p, channels, p.depth) <= costs.local_bytes * _AHEAD


def product_footprint(
    costs: CostModel, p: Product, rows: Sequence[int], channels: int, depth: int
) -> Footprint:
    """Return the bytes of the buffers of one tile: input, weights, table, output and residual, without what is kept
    anyway; accumulators.
    """
    pitch = round_up(channels, costs.lane_group)
    outputs = prod(rows) * pitch
    kept_depth = p.depth if keeps_weights(costs, p, channels) else depth
    local = align(_weight_bytes(p, channels, kept_depth))
    local += align(epilogue_table_bytes(p.table_rows, pitch))
    if not p.reads_in_place(channels, depth):
        local += align(_input_bytes(costs, p, rows, channels, depth))
    tile = align(bytes_of(outputs, p.out_storage))
    if not p.writes_in_place(channels):
        local += tile
    if p.residual and not (p.keeps_residual and channels >= p.channels):
        local += tile
    return Footprint(local, align(bytes_of(outputs, p.acc_storage)))


def _product_cycles(
    costs: CostModel, p: Product, rows: Sequence[int], channels: int, cores: int
) -> tuple[float, bool, Stages]:
    """Estimate the cycles of the whole window in tiles of these sizes; return them, whether channels should be the
    outer loop, and the cycles of each stage.
    """
    row_count = prod(ceil_div(extent, size) for extent, size in zip(p.rows, rows, strict=True))
    channel_count = ceil_div(p.channels, channels)
    count = row_count * channel_count
    pitch = round_up(channels, costs.lane_group)
    pixels = prod(rows)
    share = costs.bytes_per_cycle / cores
    # Cycles to load a byte: over this core's share of the bus, or through two ports.
    from_bus, from_core = 1 / share, 2 / costs.port_bytes_per_cycle
    x = _input_bytes(costs, p, rows, channels, p.depth) * row_count
    if p.reads_in_place(channels, p.depth):
        x = 0
    x *= from_core if p.keeps_input else from_bus
    if p.gathers_input:
        x = max(x, p.positions_read(rows) * p.in_channels(channels, p.depth) * row_count)
    w = _weight_bytes(p, channels, p.depth) * channel_count
    w *= max(from_bus / p.sharing_weights, 1 / costs.port_bytes_per_cycle)
    shared_x = 1 if p.fan_in or row_count == 1 else channel_count
    channels_outer = w + x * shared_x
    rows_outer = x + w * (1 if channel_count == 1 else row_count)
    if p.fan_in:
        x *= channel_count
        channels_outer, rows_outer = w + x, x + w * row_count
    out = bytes_of(pixels * pitch, p.out_storage) * count
    loads = min(channels_outer, rows_outer)
    if p.residual and not (p.keeps_residual and channels >= p.channels):
        loads += out * (from_core if p.keeps_residual else from_bus)
    stores = out * (from_core if p.keeps_output else from_bus)
    if p.scatters_output:
        stores = max(stores, pixels * channels * count)
    if p.writes_in_place(channels):
        stores = 0
    if p.engine == "matrix":
        product = pixels, p.taps * p.depth, ceil_div(channels, p.groups), p.groups
        matrix = costs.matrix_interval_cycles(p.rate or p.storage, *product) * count
        vector = 0
    elif p.depth > 1:
        matrix = 0
        sizes = pixels, p.taps * p.depth, channels
        vector = costs.vector_product_cycles(p.storage, *sizes) * count
    else:
        matrix = 0
        operations = p.taps * costs.operations_of("depthwise_conv2d")
        vector = costs.vector_cycles(p.storage, pixels * pitch, operations) * count
    operations = costs.epilogue_operations(p.residual)
    vector += costs.vector_cycles(p.acc_storage, pixels * pitch, operations) * count
    # Weights are loaded ahead, if there is room for many: a tile need not wait for its own.
    awaited = max(loads - w, 0.0) if keeps_weights(costs, p, channels) else loads
    stages = (awaited, float(matrix), float(vector), stores)
    if p.keeps_output:
        stages = (*stages, FOLLOWING * max(stages))
    # Loads and stores share the bus.
    each = KEPT_TILE_CYCLES if p.keeps_input and p.keeps_output else TILE_CYCLES
    together = loads + stores
    if p.gathers_input or p.scatters_output:
        # Their engines make addresses side by side.
        together = max(loads, stores)
    cycles = max(pipeline_cycles(stages, count, each), together)
    return cycles, channels_outer <= rows_outer, Stages(loads, matrix, vector, stores)


def tile_product(
    costs: CostModel,
    p: Product,
    cores: int = 1,
    given: GivenTile | None = None,
    tried: list[TriedTile] | None = None,
) -> ProductTiling | Footprint:
    """Return the cheapest tiling of `p` whose tiles fit, if `cores` cores share the global memory.

    What is `given` is kept. Tiles that leave half of the memories free are preferred. If not even the weights of the
    fewest channels fit, the depth is divided, if that is allowed. If nothing fits, the result is the footprint of the
    smallest tile. What is looked at is appended to `tried`, if that is given.
    """
    given = given or GivenTile()
    rows_candidates = [given.rows] if given.rows else _row_candidates(p)
    channel_candidates = (
        [given.channels] if given.channels else list(tile_sizes(p.channels, p.unit))
    )
    for fraction in FRACTIONS if given.depth in (None, p.depth) else ():
        best: tuple[float, ProductTiling] | None = None
        for channels in channel_candidates:
            if _weight_bytes(p, channels, p.depth) > costs.local_bytes * fraction:
                continue
            for rows in rows_candidates:
                trial = _tried(costs, p, rows, channels, cores, fraction, given.channels_outer)
                if tried is not None:
                    tried.append(trial)
                if trial.cycles is None:
                    continue
                cycles, outer = trial.cycles, trial.channels_outer is True
                if best is None or cycles < best[0]:
                    best = cycles, ProductTiling(rows, channels, p.depth, outer)
                elif cycles > 4 * best[0]:
                    break
        if best is not None:
            return best[1]
        if fraction < 1 and p.rows in rows_candidates:
            # Each weight is used once, so that a part of the depth can be loaded while another one is multiplied.
            found = _divided_depth(
                costs, p, [p.rows], channel_candidates[-1], given, fraction, tried
            )
            if isinstance(found, ProductTiling):
                return found
    return _divided_depth(costs, p, rows_candidates, channel_candidates[-1], given, 1.0, tried)


def similar_products(
    costs: CostModel, p: Product, own: ProductTiling, cores: int
) -> list[ProductTiling]:
    """Return other tilings of `p` that take it not much longer than its `own` if it is alone, the best first: those
    among which neighbors decide. If the input is kept, the depth may be divided, so that a part of it can be multiplied
    while its other channels are computed.
    """
    stages = _product_cycles(costs, p, own.rows, own.channels, cores)[2]
    found: list[tuple[float, ProductTiling]] = []
    for channels in tile_sizes(p.channels, p.unit):
        for rows in _row_candidates(p):
            counts = [ceil_div(e, s) for e, s in zip(p.rows, rows, strict=True)]
            if prod(counts) * ceil_div(p.channels, channels) > _MOST_SIMILAR:
                break
            if not product_footprint(costs, p, rows, channels, p.depth).fits(costs, FRACTIONS[0]):
                continue
            cycles, outer, needed = _product_cycles(costs, p, rows, channels, cores)
            loads_more = needed.load > stages.load * _MORE_LOADS and not p.keeps_input
            if needed.matrix <= stages.matrix * _MORE_CYCLES and not loads_more:
                found.append((cycles, ProductTiling(rows, channels, p.depth, outer)))
    found.sort(key=lambda pair: pair[0])
    tilings = [tiling for _, tiling in found[:_SIMILAR]]
    if p.can_split_depth and p.keeps_input and p.engine == "matrix":
        unit = round_up(costs.target.matrix.rows, costs.lane_group)
        depths = {round_up(ceil_div(p.depth, count), unit) for count in _DEPTH_PARTS}
        tilings += [
            replace(tiling, depth=depth)
            for tiling in tilings[:_DIVIDED]
            for depth in sorted(depths, reverse=True)
            if depth < p.depth
            and (tiling.rows == p.rows or keeps_weights(costs, p, tiling.channels))
        ]
    return tilings


def _tried(
    costs: CostModel,
    p: Product,
    rows: tuple[int, ...],
    channels: int,
    cores: int,
    fraction: float,
    outer: bool | None,
) -> TriedTile:
    """Return what tiles of these sizes take, which are to fit into `fraction` of each memory. `outer` is whether
    channels are the outer loop, if that is given.
    """
    sizes, needed = (*rows, channels), product_footprint(costs, p, rows, channels, p.depth)
    if not needed.fits(costs, fraction):
        return TriedTile(sizes, needed, fraction, False, depth=p.depth)
    cycles, channels_outer, stages = _product_cycles(costs, p, rows, channels, cores)
    if outer is not None:
        channels_outer = outer
    return TriedTile(sizes, needed, fraction, True, stages, cycles, p.depth, channels_outer)


def _row_candidates(p: Product) -> list[tuple[int, ...]]:
    """Return the sizes of tiles of rows that an instruction can count."""
    found = [
        rows
        for rows in row_tiles(p.rows)
        if all(
            max(reach.size(size), size) <= p.row_limit
            for reach, size in zip(p.reach, rows, strict=True)
        )
    ]
    return found or [(1,) * len(p.rows)]


def _divided_depth(
    costs: CostModel,
    p: Product,
    rows_candidates: Sequence[tuple[int, ...]],
    channels: int,
    given: GivenTile,
    fraction: float,
    tried: list[TriedTile] | None,
) -> ProductTiling | Footprint:
    """Return the tiling of the greatest depth whose tiles fit into `fraction` of the memories, or the footprint of the
    smallest tile.
    """
    depths = [given.depth] if given.depth else list(tile_sizes(p.depth, costs.lane_group))
    channels_outer = given.channels_outer is not False
    if p.can_split_depth:
        for depth in depths:
            for rows in rows_candidates:
                needed = product_footprint(costs, p, rows, channels, depth)
                fits, sizes = needed.fits(costs, fraction), (*rows, channels)
                if tried is not None:
                    trial = TriedTile(sizes, needed, fraction, fits, None, None, depth)
                    tried.append(trial._replace(channels_outer=channels_outer))
                if fits:
                    return ProductTiling(rows, channels, depth, channels_outer)
    least = given.depth or (min(p.depth, costs.lane_group) if p.can_split_depth else p.depth)
    return product_footprint(costs, p, rows_candidates[-1], channels, least)


def tile_box(
    costs: CostModel,
    extents: Sequence[int],
    units: Sequence[int],
    footprint: Callable[[tuple[int, ...]], Footprint],
    stages: Sequence[float],
    tried: list[TriedTile] | None = None,
) -> tuple[int, ...] | Footprint:
    """Return tile sizes for work that can be divided into boxes at will: the outermost axes are divided first.

    `extents` and `units` are per axis, outermost first in memory; an axis with unit 0 stays whole. `footprint` gives
    the bytes of a tile of given sizes; `stages` are the cycles of the whole box in each stage, which decide how many
    tiles are worthwhile. If nothing fits, the result is the footprint of the smallest tile. What is looked at is
    appended to `tried`, if that is given.
    """
    wanted = _tile_count(stages)
    candidates = list(_box_tiles(extents, units))
    for fraction in FRACTIONS:
        fitting: tuple[int, ...] | None = None
        for tile in candidates:
            needed = footprint(tile)
            fits = needed.fits(costs, fraction)
            count = prod(ceil_div(e, t) for e, t in zip(extents, tile, strict=True))
            if tried is not None:
                cycles = pipeline_cycles(stages, count) if fits else None
                tried.append(TriedTile(tile, needed, fraction, fits, cycles=cycles))
            if not fits:
                continue
            fitting = fitting or tile
            if count >= wanted:
                return tile if count <= 2 * wanted else fitting
            fitting = tile
        if fitting is not None:
            return fitting
    return footprint(candidates[-1])


def _box_tiles(extents: Sequence[int], units: Sequence[int]) -> Iterator[tuple[int, ...]]:
    current = list(extents)
    yield tuple(current)
    for axis, unit in enumerate(units):
        if not unit:
            continue
        for size in tile_sizes(extents[axis], unit):
            if size < current[axis]:
                current[axis] = size
                yield tuple(current)


def similar_boxes(extents: Sequence[int], units: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Return the sizes of at most `_MOST_TILES` tiles: those that `tile_box` looks at, and those of the whole that are
    divided along the last axis alone.
    """
    *outer, last = extents
    lanes = ((*outer, size) for size in tile_sizes(last, units[-1])) if units[-1] else ()
    for tile in (*_box_tiles(extents, units), *lanes):
        if prod(ceil_div(e, t) for e, t in zip(extents, tile, strict=True)) <= _MOST_TILES:
            yield tile


def _tile_count(stages: Sequence[float]) -> int:
    """Return the number of tiles with the fewest estimated cycles."""
    return min(range(1, _MOST_TILES + 1), key=lambda count: pipeline_cycles(stages, count))


def depth_parts(depth: int, size: int) -> list[Range]:
    """Return the ranges of summed channels, of `size` channels each."""
    return tiles((0, depth), size)
