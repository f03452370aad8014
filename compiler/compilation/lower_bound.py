"""Computes how many cycles a network takes at least on a target, whatever its schedule.

A schedule is free to place tensors, to lay them out, to cut layers and to run them side by side. The bound is the
largest of these, each true for every schedule:

- **matrix unit**: the whole folds of all products ÷ cores, a fold for the length that streams through it, or for the
  array's rows if that is longer;
- **vector unit**: the cycles of the instructions' own formulas, without padding, ÷ cores;
- **global memory**: the bytes that must cross it ÷ its bandwidth: once what is read of inputs and constants, the tables
  of epilogues, and all outputs;
- **on-chip memory**: before a layer has used up the first of its constants, all that it reads has been computed, which
  is a known part of the work. Of the constants of this layer and of later ones, no more can be there by then than fits
  the local memories of all cores, and the rest crosses afterward;
- **latency**: the longest chain of layers, each with one element, after the first load and before the last store.

It holds for the network of `tpu` ops as it is. Each op is computed whole by its own instructions: no Winograd, no pool
in two steps, no product with zeros put in so that the array is fuller, except for those of one batch or of groups. What
only moves elements costs nothing, and what the host computes takes no time. Intermediate tensors need never cross
global memory, however large they are, as layers may run slice by slice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, prod
from typing import TYPE_CHECKING

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.numerics.packing import packed_bytes
from ...backends.numerics.storage import PACKED_NAMES
from ...backends.program.lower_bound import LowerBound
from ...dialects import tile
from ...dialects.ir.context import SmaltiContext
from ...dialects.ir.target_attribute import target_of
from ...passes.pipeline import run_pipeline
from ...passes.tile.tiler_bases.layer import Buffer, Layer
from ...passes.tile.tiler_bases.tiler import Tiler
from ...passes.tile.tilers.registry import tiler_of
from ...passes.tiling.least_cost import LatencyCosts, LeastCosts
from ...passes.tiling.windows import Window
from ...passes.tpu_to_tile.convert_tpu_to_tile import ConvertTpuToTile

if TYPE_CHECKING:
    from ...backends.targets.target import Target


def lower_bound_of(module: ModuleOp, ctx: SmaltiContext, cores: int | None = None) -> LowerBound:
    """Return the bound of a network of `tpu` IR, which stays as it is, on `cores` cores of its target (default: all).

    An op that no tiler is known for counts as nothing, and so does what it reads. Raises DiagnosticError if the network
    cannot be lowered to tile.
    """
    target = target_of(module)
    copy = module.clone()
    run_pipeline(ctx.fork(), copy, [ConvertTpuToTile()], verify=False)
    network = _Network(target)
    for op in tile.program_of(copy).body.block.ops:
        if isinstance(op, tile.GlobalOp):
            buffer = Buffer.of(op)
            network.buffers[buffer.value] = buffer
        elif isinstance(op, tile.LayerOp):
            network.add(Layer.of(op, network.buffers))
    return network.bound(target.cores if cores is None else cores)


@dataclass
class _Read:
    """What layers read of an input or of a constant: `size_bytes` at most, and `read_bytes` if each reads what another
    does not. `before` is the set of layers, as bits by number, that have been computed before it is no longer needed.
    """

    size_bytes: int
    read_bytes: int = 0
    before: int = 0

    def read(self, size_bytes: int, before: int) -> None:
        """Add what one more layer reads."""
        self.read_bytes += size_bytes
        self.before |= before

    @property
    def crossing_bytes(self) -> int:
        """How many bytes must come from global memory."""
        return min(self.size_bytes, self.read_bytes)


@dataclass
class _Network:
    """The layers of a network so far, in the order of the program, and what they need of the target.

    `before[b]` is the set of layers, as bits by number, that have been computed once all of buffer b has been;
    `chains[b]` the cycles after which its first element can be there. `reads` holds inputs and constants, and tables
    by the weights that they belong to.
    """

    target: Target
    buffers: dict[SSAValue, Buffer] = field(default_factory=dict)
    matrix: list[int] = field(default_factory=list)
    vector: list[int] = field(default_factory=list)
    reads: dict[tuple[str, SSAValue], _Read] = field(default_factory=dict)
    before: dict[SSAValue, int] = field(default_factory=dict)
    chains: dict[SSAValue, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._least = LeastCosts(self.target)
        self._latency = LatencyCosts(self.target)
        dma, memory = self.target.dma, self.target.global_memory
        self._transfer_cycles = dma.issue_cycles + memory.latency_cycles

    def add(self, layer: Layer) -> None:
        """Add the next layer."""
        try:
            tiler, quick = tiler_of(layer, self._least), tiler_of(layer, self._latency)
            work = tiler.least_work(layer.window)
            first = quick.least_work(_first_element(layer, quick))
        except DiagnosticError:
            self._add_unknown(layer)
            return
        chain = self._transfer_cycles
        before = 0
        for index, buffer in enumerate(layer.inputs):
            chain = max(chain, self.chains.get(buffer.value, 0))
            if tiler.elements_read(index) == prod(buffer.layout.shape):
                before |= self.before.get(buffer.value, 0)
        self._read(layer, tiler)
        cycles = first.matrix_cycles + first.vector_cycles
        self.chains[layer.output.value] = chain + cycles
        self.before[layer.output.value] = before | 1 << len(self.matrix)
        self.matrix.append(work.matrix_cycles)
        self.vector.append(work.vector_cycles)

    def _add_unknown(self, layer: Layer) -> None:
        """Add a layer that nothing is known of; what is moved before it is still there after it."""
        self.chains[layer.output.value] = max(
            (self.chains.get(buffer.value, 0) for buffer in layer.inputs), default=0
        )

    def _read(self, layer: Layer, tiler: Tiler) -> None:
        """Note which inputs and constants a layer reads."""
        before = 0
        if tiler.mixes_all and tiler.elements_read(0) == prod(layer.inputs[0].layout.shape):
            before = self.before.get(layer.inputs[0].value, 0)
        for index, buffer in enumerate(layer.inputs):
            if buffer.segment in ("input", "weights"):
                whole = _least_bytes(buffer, prod(buffer.layout.shape))
                found = self.reads.setdefault(("tensor", buffer.value), _Read(whole))
                found.read(_least_bytes(buffer, tiler.elements_read(index)), before)
        if tiler.table_bytes:
            key = "table", layer.inputs[1].value
            self.reads.setdefault(key, _Read(tiler.table_bytes)).read(tiler.table_bytes, before)

    def bound(self, cores: int) -> LowerBound:
        """Return the bound on `cores` cores."""
        outputs = [each for each in self.buffers.values() if each.segment == "output"]
        written = sum(each.bytes_of(prod(each.layout.shape)) for each in outputs)
        read = sum(each.crossing_bytes for each in self.reads.values())
        computed = [self.chains.get(each.value, 0) for each in outputs]
        last = self._transfer_cycles if max(computed, default=0) > self._transfer_cycles else 0
        return LowerBound(
            {
                "global memory": ceil((read + written) / self.target.global_bytes_per_cycle),
                "matrix unit": ceil(sum(self.matrix) / cores),
                "vector unit": ceil(sum(self.vector) / cores),
                "on-chip memory": self._memory_cycles(cores),
                "latency": max(computed, default=0) + last,
            }
        )

    def _memory_cycles(self, cores: int) -> int:
        """Return the largest sum, over all points of time, of the work before it and of the transfers after it.

        A constant is needed until the layers before it have been computed. Of what is needed after a point of time, no
        more than fits the local memories has crossed global memory before.
        """
        starts: dict[int, int] = {}
        waiting: dict[int, int] = {}
        for each in self.reads.values():
            if each.before not in starts:
                starts[each.before] = self._cycles_of(each.before, cores)
            start = starts[each.before]
            waiting[start] = waiting.get(start, 0) + each.crossing_bytes
        room = cores * self.target.local_memory.size_bytes
        least, later = 0.0, 0
        for start in sorted(waiting, reverse=True):
            later += waiting[start]
            transfers = max(0, later - room) / self.target.global_bytes_per_cycle
            least = max(least, start + transfers)
        return ceil(least)

    def _cycles_of(self, layers: int, cores: int) -> int:
        """Return the cycles in which `cores` cores compute a set of layers at least."""
        size = -(-len(self.matrix) // 8)
        bits = np.frombuffer(layers.to_bytes(size, "little"), np.uint8)
        chosen = np.unpackbits(bits, bitorder="little", count=len(self.matrix)).astype(bool)
        work = np.array([self.matrix, self.vector])[:, chosen].sum(axis=1)
        return int(work.max()) // cores


def _least_bytes(buffer: Buffer, elements: int) -> int:
    """Return the fewest bytes that `elements` of a buffer may take: weights of few bits are packed for products."""
    if buffer.is_weights and buffer.storage in PACKED_NAMES:
        return packed_bytes(elements, buffer.storage)
    return buffer.bytes_of(elements)


def _first_element(layer: Layer, tiler: Tiler) -> Window:
    """Return the window of one element of a layer, with the whole of each axis that may not be divided."""
    # A tiler may have no unit for the axis that a tensor without axes is seen with.
    sizes = zip(layer.shape, tiler.units(), strict=False)
    return tuple((0, 1 if unit else size) for size, unit in sizes)
