"""Decides which tensors between layers stay in the local memories of the cores that compute them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod

from xdsl.ir import SSAValue

from ...backends.numerics.rounding_up import ceil_div, round_up
from ...backends.targets.alignment import align
from ...dialects.tile import GlobalOp, LayerOp, ProgramOp, Schedule
from ..tiling.windows import Window, sizes_of
from .tiler_bases.layer import Buffer, Layer
from .tiler_bases.residents import Residents
from .tiler_bases.tiler import Tiler

_TILES = 2.5
"""How many tiles of a layer have room beside the tensors that stay: the one that is computed, the next one, whose loads
run ahead, and what addresses leave unused between buffers.
"""


_FEW_TILES, _SMALL_TILE = 64, 512
"""Tensors in more tiles than that, of fewer bytes, do not stay."""


@dataclass(frozen=True)
class PlannedLayer:
    """A layer with its complete schedule, and the core and window of each of its parts."""

    layer: Layer
    tiler: Tiler
    schedule: Schedule
    cores: Sequence[int]
    windows: Sequence[Window]


def that_may_stay(tilers: Iterable[Tiler]) -> frozenset[SSAValue]:
    """Return the tensors that all layers which write and read them could take in local memories, and whose schedules do
    not say otherwise.
    """
    able: set[SSAValue] = set()
    unable: set[SSAValue] = set()
    for tiler in tilers:
        layer = tiler.layer
        if not tiler.may_stay_on_chip:
            unable |= {layer.output.value, *(buffer.value for buffer in layer.inputs)}
        is_fixed = layer.operation.decided.output == "global" or _address(layer.output) is not None
        if is_fixed or not _is_between_layers(layer.output):
            unable.add(layer.output.value)
        able.add(layer.output.value)
    return frozenset(able - unable)


def choose_places(
    planned: Sequence[PlannedLayer], candidates: frozenset[SSAValue]
) -> frozenset[SSAValue]:
    """Return the candidates that stay in local memories: they and the tiles of the layers fit at all times.

    Those come first that save most transfers for the time that they stay. `planned` are the layers of a program, in its
    order.
    """
    free = _free_bytes(planned)
    stays = [
        stay
        for stay in _stays(planned)
        if stay.buffer.value in candidates and (stay.is_decided or not stay.is_crumbled)
    ]
    stays.sort(key=lambda stay: (not stay.is_decided, stay.steps / (1 + stay.readers)))
    kept: set[SSAValue] = set()
    for stay in stays:
        during = range(stay.first, stay.last + 1)
        if all(free[core][at] >= size for core, size in stay.size_bytes.items() for at in during):
            kept.add(stay.buffer.value)
            for core, size in stay.size_bytes.items():
                for at in during:
                    free[core][at] -= size
    return frozenset(kept)


@dataclass
class _Stay:
    """A tensor that could stay, from the layer number `first` that writes it to the layer `last` that reads it."""

    buffer: Buffer
    first: int
    last: int
    readers: int
    is_decided: bool
    size_bytes: dict[int, int]
    """For each core the bytes of its part."""
    tiles: int = 0

    @property
    def is_crumbled(self) -> bool:
        """Whether it lies in so many and so small tiles that reading it, a transfer for each, takes longer than through
        global memory.
        """
        return self.tiles > _FEW_TILES and sum(self.size_bytes.values()) < self.tiles * _SMALL_TILE

    @property
    def steps(self) -> int:
        """How many layers it stays for."""
        return self.last - self.first + 1


def _free_bytes(planned: Sequence[PlannedLayer]) -> dict[int, list[float]]:
    """Return for each core how many bytes of its local memory the tiles of each layer leave free."""
    costs = planned[0].tiler.costs if planned else None
    free: dict[int, list[float]] = defaultdict(
        lambda: [float(costs.local_bytes if costs else 0)] * len(planned)
    )
    for at, each in enumerate(planned):
        for part, (core, window) in enumerate(zip(each.cores, each.windows, strict=True)):
            needed = each.tiler.footprint(window, each.schedule.of_part(part)).local
            free[core][at] -= _TILES * needed
    return free


def _stays(planned: Sequence[PlannedLayer]) -> list[_Stay]:
    """Return the tensors between layers."""
    found: dict[SSAValue, _Stay] = {}
    for at, each in enumerate(planned):
        layer = each.layer
        for buffer in {b.value: b for b in layer.inputs}.values():
            stay = found.get(buffer.value)
            if stay is not None:
                stay.last, stay.readers = at, stay.readers + 1
        output = layer.output
        stay = found.setdefault(
            output.value,
            _Stay(output, at, at, 0, each.schedule.output == "local", defaultdict(int)),
        )
        for core, window in zip(each.cores, each.windows, strict=True):
            stay.size_bytes[core] += _kept_bytes(each.tiler, window)
        stay.tiles += _tile_count(each)
    return [stay for stay in found.values() if stay.readers]


def _tile_count(planned: PlannedLayer) -> int:
    """Return in how many tiles a layer computes its output."""
    count = 0
    for part, window in enumerate(planned.windows):
        (tile,) = planned.schedule.of_part(part).tile or ((),)
        # The loops of some layers are not the output's axes.
        loops = zip(sizes_of(window), tile, strict=False) if len(tile) == len(window) else ()
        count += prod(ceil_div(size, step) for size, step in loops)
    return count


def _is_between_layers(buffer: Buffer) -> bool:
    """Tell whether a buffer holds a tensor with axes that only layers see."""
    owner = buffer.value.owner
    return (
        buffer.segment == "scratch"
        and isinstance(owner, GlobalOp)
        and bool(owner.shape.get_values())
    )


def _address(buffer: Buffer) -> int | None:
    """Return the address in global memory that a buffer has already."""
    owner = buffer.value.owner
    return owner.address.value.data if isinstance(owner, GlobalOp) and owner.address else None


def _kept_bytes(tiler: Tiler, window: Window) -> int:
    """Return how many bytes `window` of the output takes as tiles that stay: rows in whole lane groups."""
    output = tiler.layer.output
    sizes, last = sizes_of(window), output.layout.last_axis
    elements = 1
    for axis, size in enumerate(sizes):
        elements *= round_up(size, tiler.costs.lane_group) if axis == last else size
    return align(output.bytes_of(elements))


def mark_kept(buffers: dict[SSAValue, Buffer], kept: Collection[SSAValue]) -> None:
    """Note in the buffers which tensors stay in local memories."""
    for value, buffer in buffers.items():
        if buffer.is_kept != (value in kept):
            buffers[value] = replace(buffer, is_kept=value in kept)


def kept_tensors(program: ProgramOp) -> frozenset[SSAValue]:
    """Return the tensors of which schedules say that they stay in local memories."""
    layers = [op for op in program.body.block.ops if isinstance(op, LayerOp)]
    return frozenset(op.output for op in layers if op.decided.output == "local")


def check_places(layer: Layer, tiler: Tiler, residents: Residents) -> None:
    """Raise DiagnosticError if a layer cannot read or write what stays in local memories."""
    if residents.keeps(layer.output):
        if layer.operation.decided.output != "local":
            raise layer.error(
                f"another part of '{layer.output.name}' stays in local memory, this one is in global memory",
                "give the schedules of all parts the same 'output'",
            )
        if not _is_between_layers(layer.output):
            raise layer.error(
                f"'{layer.output.name}' cannot stay in local memory: it is no tensor with axes between two layers",
                "leave 'output' out of the schedule",
            )
        if (address := _address(layer.output)) is not None:
            raise layer.error(
                f"'{layer.output.name}' has address {address} in global memory and cannot stay in local memory",
                "remove the address, or leave 'output' out of the schedule",
            )
        if not tiler.may_stay_on_chip:
            raise layer.error(
                "its output cannot stay in local memory: the layer's tiles write to global memory only",
                "leave 'output' out of the schedule",
            )
    for buffer in layer.inputs:
        if residents.keeps(buffer) and not tiler.may_stay_on_chip:
            raise layer.error(
                f"'{buffer.name}' stays in local memory, but the layer's tiles read global memory only",
                f"leave 'output' out of the schedule of the layer that writes '{buffer.name}'",
            )
