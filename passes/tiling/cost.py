"""What a layer costs, roughly: the model by which layers are split over cores and tiled.
No IR.

A part of a layer occupies its core's matrix and vector units for known cycles and moves known bytes
over the shared global memory. Engines run side by side, so a layer takes about as long as its
busiest resource, and a part of the other that does not overlap with it:

    compute = max over cores of matrix and of vector cycles
    transfer = bytes of all cores / bytes per cycle, or the DMA cycles of a core if those are more
    cycles = max(compute, transfer) + exposed · min(compute, transfer) + part cycles · cores

Bytes count whole bursts for each run, and halos once for each core. So do weights that several cores
read, unless they are multicast: then they cross the bus once, no faster than the port of a core.
A DMA engine makes the address of one run in a cycle, and all bytes of a core pass its port: so what is gathered or
scattered element by element takes as many cycles as a core has elements of it, and only more cores make it faster.
What a part reads of tensors in local memories passes two ports, and the interconnect of all. And
`tiles` tiles that pass through stages (load, matrix, vector, store) of total `stage` cycles take

    cycles = max(stages) + (sum(stages) − max(stages)) / tiles + tile cycles · tiles

the busiest stage without a gap, plus the other stages of one tile to fill and drain the pipeline.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from ...backends.numerics.rounding_up import round_up
from ...backends.numerics.storage import bytes_of
from .copy_planning import plan
from .layout import Layout, dense_strides
from .windows import Window, sizes_of

if TYPE_CHECKING:
    from ...backends.targets.target import Target

EXPOSED = 0.3
"""The share of the shorter of computation and transfer that does not overlap: the first loads and the
last stores. Found with the simulator on ResNet-50, where values from 0.3 to 1 differ by 2% and 0
costs 6% more cycles."""

PART_CYCLES = 24
"""What one more core costs a layer: its instructions' start and the wait for it. Also breaks ties
toward fewer cores.
"""

TILE_CYCLES = 96
"""What one more tile costs: the part of a transfer's latency and of the instructions' start that
nothing hides.
"""

KEPT_TILE_CYCLES = 48
"""What one more tile costs that is read and written where cores keep it. Found with the simulator on MobileNetV2, which
takes 4% more cycles with 96.
"""


@dataclass(frozen=True)
class Work:
    """What computing one window costs: cycles of the matrix unit and of the vector unit, bytes on the global bus, and
    bytes copied from local memories, with the box that is read of each such input, by its index, and the share of
    input 0's box that is read. `shared_load_bytes` are loaded at once by all parts whose `shared` is equal.
    `constant_bytes` of all that is loaded are weights and parameters. `load_runs` and `store_runs` are the runs of its
    transfers, besides those that are copied from local memories as they lie there.
    """

    matrix_cycles: int = 0
    vector_cycles: int = 0
    load_bytes: int = 0
    store_bytes: int = 0
    copied_bytes: int = 0
    boxes: tuple[tuple[int, Window], ...] = ()
    density: float = 1.0
    shared_load_bytes: int = 0
    shared: Hashable = None
    constant_bytes: int = 0
    load_runs: int = 0
    store_runs: int = 0


@dataclass(eq=False)
class CostModel:
    """The numbers of a target that decide tile sizes; results of its cycle formulas are remembered."""

    target: Target
    multicasts: bool = False
    """Whether cores load at once the weights that they share, if the schedule does not say."""
    multicasts_activations: bool = False
    """Whether cores are sent at once what they share of tensors in local memories, if the schedule does not say."""
    part_cycles: int = PART_CYCLES
    """What one more core costs a layer among those of a network that are divided together."""
    _cycles: dict[tuple[str, str, int, int, int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        target = self.target
        self.local_bytes: int = target.local_memory.size_bytes
        self.acc_bytes: int = target.matrix.accumulator_bytes
        self.lane_group: int = target.vector.lane_group
        self.columns: int = target.matrix.columns
        self.cores: int = target.cores
        self.bytes_per_cycle: float = target.global_bytes_per_cycle
        self.burst_bytes: int = target.global_memory.burst_bytes
        self.port_bytes_per_cycle: float = target.local_memory.bytes_per_cycle
        self.interconnect_bytes_per_cycle: float = target.interconnect_bytes_per_cycle

    def matrix_cycles(self, storage: str, m: int, k: int, n: int, repeat: int = 1) -> int:
        """Return the cycles of `repeat` matrix products [m,k] x [k,n] on one core's matrix unit."""
        key = ("matrix", storage, m, k, n, repeat)
        found = self._cycles.get(key)
        if found is None:
            from ...backends.targets import cycles

            found = cycles.matrix_cycles(self.target, storage, m=m, k=k, n=n, repeat=repeat)
            self._cycles[key] = found
        return found

    def matrix_interval_cycles(self, storage: str, m: int, k: int, n: int, repeat: int = 1) -> int:
        """Return the cycles from the start of such an instruction to that of one that follows it without a gap."""
        key = ("interval", storage, m, k, n, repeat)
        found = self._cycles.get(key)
        if found is None:
            from ...backends.targets import cycles

            unit = self.target.matrix
            folds = cycles.matrix_folds(self.target, storage, m=m, k=k, n=n, repeat=repeat)
            found = self._cycles[key] = folds.busy(unit.rows, unit.overlap)
        return found

    def hidden_matrix_cycles(self, storage: str) -> int:
        """Return the cycles of an instruction that others before and after it hide: the load of its first fold, and
        what follows the stream of its last one.
        """
        rows = self.target.matrix.rows
        whole = self.matrix_cycles(storage, rows, 1, 1)
        return whole - self.matrix_interval_cycles(storage, rows, 1, 1)

    def operations_of(self, function: str) -> int:
        """Count the passes over its elements that the vector unit makes for a function."""
        return self.target.vector.operations_of(function)

    def epilogue_operations(self, residual: bool) -> int:
        """Count the passes over its elements that the vector unit makes for an epilogue."""
        from ...backends.targets import cycles

        return cycles.epilogue_operations(self.target, residual)

    def vector_cycles(self, storage: str, elements: int, operations: int = 1) -> int:
        """Return the cycles of one vector instruction over `elements` elements."""
        key = ("vector", storage, elements, operations, 0, 0)
        found = self._cycles.get(key)
        if found is None:
            from ...backends.targets import cycles

            found = cycles.vector_cycles(self.target, storage, elements, operations)
            self._cycles[key] = found
        return found

    def vector_product_cycles(self, storage: str, m: int, k: int, n: int, repeat: int = 1) -> int:
        """Return the cycles of `repeat` matrix products [m,k] x [k,n] on one core's vector unit."""
        key = ("vector product", storage, m, k, n, repeat)
        found = self._cycles.get(key)
        if found is None:
            from ...backends.targets import cycles

            found = cycles.vector_product_cycles(self.target, storage, m=m, k=k, n=n, repeat=repeat)
            self._cycles[key] = found
        return found

    def suits_vector_unit(self, storage: str, m: int, k: int, n: int, repeat: int = 1) -> bool:
        """Tell whether the vector unit takes less time than the matrix unit for `repeat` whole products [m,k] x [k,n]:
        for few rows, which stream for a shorter time than the matrix unit takes to load its array.
        """
        from ...backends.targets import cycles

        sizes = {"m": m, "k": k, "n": n, "repeat": repeat}
        on_vector_unit = cycles.vector_product_cycles(self.target, storage, **sizes)
        return on_vector_unit < cycles.matrix_cycles(self.target, storage, **sizes)

    def permute_cycles(self, storage: str, tiles: int, rows: int, columns: int) -> int:
        """Return the cycles in which one core transposes `tiles` of rows x columns elements in local memory."""
        from ...backends.targets import cycles

        return cycles.permute_cycles(self.target, storage, tiles=tiles, rows=rows, columns=columns)

    def fill_cycles(self, size_bytes: int) -> int:
        """Return the cycles in which one core fills `size_bytes` of its local memory."""
        from ...backends.targets import cycles

        return cycles.local_write_cycles(self.target, size_bytes)

    def dma_cycles(self, work: Work) -> float:
        """Return the cycles in which the DMA engines of a core move what `work` loads and stores: an address a cycle
        for each run, and all bytes through the port of the memory. Stores follow loads tile by tile.
        """
        engines = work.load_runs, work.store_runs
        moved = work.load_bytes + work.shared_load_bytes + work.store_bytes
        return max(max(engines) + EXPOSED * min(engines), moved / self.port_bytes_per_cycle)

    def bus_bytes(self, run_bytes: int, runs: int) -> int:
        """Return how many bytes `runs` separate runs occupy on the global bus, counted in whole bursts."""
        return round_up(run_bytes, self.burst_bytes) * runs


def runs_of(layout: Layout, window: Window) -> tuple[int, int]:
    """Return (elements per contiguous run, number of runs) for `window` of a buffer of `layout`; the padding of whole
    rows is included.
    """
    run, contiguous = 1, True
    outer = 1
    for position, axis in enumerate(reversed(layout.order)):
        low, high = window[axis]
        full = high - low == layout.shape[axis]
        size = layout.pitch if position == 0 and full else high - low
        if contiguous:
            run *= size
            contiguous = full
        else:
            outer *= size
    return run, outer


def window_bytes(costs: CostModel, layout: Layout, window: Window, storage: str) -> int:
    """Return how many bytes on the global bus it takes to move `window` of a buffer of `layout` once."""
    run, runs = runs_of(layout, window)
    return costs.bus_bytes(bytes_of(run, storage), runs)


def address_count(costs: CostModel, layout: Layout, window: Window, order: Sequence[int]) -> int:
    """Return in how many runs `window` of a buffer of `layout` is copied to or from a local buffer that has its axes in
    `order`, the last one padded to whole lane groups.
    """
    sizes = sizes_of(window)
    last = order[-1]
    local = [
        round_up(size, costs.lane_group) if axis == last else size
        for axis, size in enumerate(sizes)
    ]
    copies = plan(sizes, layout.strides, dense_strides(local, order))
    return sum(prod(copy.sizes[:-1]) for copy in copies)


def split_cycles(costs: CostModel, parts: Iterable[Work]) -> float:
    """Estimate the cycles of a layer with one part per core (the module's first formula)."""
    busiest, moved, copied, count = 0.0, 0, 0, 0
    slowest = 0.0
    shared: dict[Hashable, int] = {None: 0}
    for part in parts:
        compute = max(part.matrix_cycles, part.vector_cycles)
        # A byte is read through a port and written through one.
        copy = 2 * part.copied_bytes / costs.port_bytes_per_cycle
        busiest = max(busiest, max(compute, copy) + EXPOSED * min(compute, copy))
        moved += part.load_bytes + part.store_bytes
        copied += part.copied_bytes
        shared[part.shared] = part.shared_load_bytes
        slowest = max(slowest, costs.dma_cycles(part))
        count += 1
    moved += sum(shared.values())
    transfer = max(moved / costs.bytes_per_cycle, slowest)
    busiest = max(busiest, copied / costs.interconnect_bytes_per_cycle)
    return max(busiest, transfer) + EXPOSED * min(busiest, transfer) + PART_CYCLES * count


def pipeline_cycles(stages: Sequence[float], tiles: int, tile_cycles: int = TILE_CYCLES) -> float:
    """Estimate the cycles of `tiles` equal tiles in `stages` with these total cycles (the module's second formula)."""
    busiest = max(stages)
    return busiest + (sum(stages) - busiest) / tiles + tile_cycles * tiles
