"""The loop of layers that compute each element of the output from the same element of one input.

Where the input's contiguous axis is not the output's, as at a network's borders (rows there, channel-last inside), a
tile is either gathered element by element, or loaded in whole runs and transposed in local memory. The cost model says
which takes fewer cycles.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import prod
from typing import ClassVar

from xdsl.ir import SSAValue

from ....backends.numerics.storage import PERMUTED_NAMES
from ...tiling.cost import CostModel, Work, split_cycles
from ...tiling.transposition import Transposition, transposition_of
from ...tiling.windows import Window, sizes_of
from .box_tiler import BoxTiler
from .constants import Constants
from .emitter import Emitter
from .layer import Layer


class ElementTiler(BoxTiler):
    """Tiles a layer whose input 0 has the output's shape, on the vector unit.

    A tile is transposed as the narrower of both storage types: before the computation or after it, or in place of it if
    the op leaves elements as they are.
    """

    takes_pitch: ClassVar[bool] = False
    """Whether the computation takes rows of its operand with gaps between them, and reads no padding."""

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        source, output = layer.inputs[0], layer.output
        narrow = min(output, source, key=lambda buffer: buffer.bytes_of(8))
        self.transposed_type = narrow.storage
        self.computes_first = narrow is output
        self.is_copy = layer.op.fold() is not None
        turned = transposition_of(source.layout.order, self.order, layer.shape)
        self.transposition: Transposition | None = None
        if turned is not None and self.transposed_type in PERMUTED_NAMES:
            gathered = split_cycles(costs, [self.work(layer.whole)])
            self.transposition = turned
            if split_cycles(costs, [self.work(layer.whole)]) >= gathered:
                self.transposition = None

    @property
    def loop_order(self) -> tuple[int, ...]:
        return self.order if self.transposition is None else self.transposition.loop_order

    @abstractmethod
    def cycles_of(self, elements: int) -> int:
        """Return the cycles in which the vector unit computes that many elements."""

    @abstractmethod
    def compute(
        self, x: SSAValue, shape: tuple[int, ...], columns: int, emitter: Emitter
    ) -> SSAValue:
        """Emit the computation of rows of `columns` elements, and return the new buffer of `shape` that it fills."""

    def vector_cycles(self, window: Window) -> int:
        sizes, turned = sizes_of(window), self.transposition
        if turned is None:
            return self.cycles_of(self.elements_of(sizes))
        permute = self.costs.permute_cycles(self.transposed_type, *turned.sizes(sizes))
        if self.is_copy:
            return permute
        elements = (
            prod(self._loaded_shape(turned, sizes))
            if self.computes_first
            else self.elements_of(sizes)
        )
        return self.cycles_of(elements) + permute

    def local_order(self, index: int) -> Sequence[int]:
        # What is transposed in local memory is loaded in whole runs.
        if index == 0 and self.transposition is not None:
            return self.layer.inputs[0].layout.order
        return super().local_order(index)

    def least_work(self, window: Window) -> Work:
        """Return the computation alone: the producer of the input may lay it out as the output is."""
        return Work(0, self.cycles_of(prod(sizes_of(window))))

    def pitch_of(self, sizes: Sequence[int]) -> int:
        # A transposition fills its rows up to a pitch; where they are more than the last axis, that one is dense.
        last, turned = self.order[-1], self.transposition
        is_dense = turned is not None and turned.rows != (last,)
        return sizes[last] if is_dense else super().pitch_of(sizes)

    def buffer_bytes(self, sizes: tuple[int, ...]) -> list[int]:
        source, output = self.layer.inputs[0], self.layer.output
        local, turned = self.elements_of(sizes), self.transposition
        if turned is None:
            return [source.bytes_of(local), output.bytes_of(local)]
        loaded = prod(self._loaded_shape(turned, sizes))
        if self.is_copy:
            return [source.bytes_of(loaded), output.bytes_of(local)]
        if self.computes_first:
            return [source.bytes_of(loaded), output.bytes_of(loaded), output.bytes_of(local)]
        return [source.bytes_of(loaded), source.bytes_of(local), output.bytes_of(local)]

    @property
    def in_place(self) -> Sequence[bool]:
        if self.transposition is None:
            return super().in_place
        computed = () if self.is_copy else (False,)
        return [False, *computed, self.layer.output.is_kept]

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        sizes, turned = sizes_of(window), self.transposition
        shape, columns = self.local_shape(sizes), sizes[self.order[-1]]
        if turned is None:
            pitch = self._input_pitch(sizes, shape[-1])
            x = self.load_kept(emitter, 0, window, self.order, pitch, takes_pitch=self.takes_pitch)
            out = self.compute(x, shape, columns, emitter)
        elif self.is_copy:
            x, _ = self._load_runs(turned, window, emitter)
            out = self._transpose(x, turned, sizes, emitter, self.layer.result.zero_point)
        elif self.computes_first:
            x, loaded = self._load_runs(turned, window, emitter)
            dense = self.compute(x, loaded, sizes[turned.before[-1]], emitter)
            out = self._transpose(dense, turned, sizes, emitter, self.layer.result.zero_point)
        else:
            x, _ = self._load_runs(turned, window, emitter)
            x = self._transpose(x, turned, sizes, emitter, self.layer.elements[0].zero_point)
            out = self.compute(x, shape, columns, emitter)
        self.store(emitter, out, window, shape[-1])

    def _input_pitch(self, sizes: Sequence[int], pitch: int) -> int:
        """Return how many elements a row of an input's tile has: those of the output's tile, or no padding where the
        tensor has none in memory, so that rows that lie side by side are loaded as one run.
        """
        source, last = self.layer.inputs[0], self.order[-1]
        layout = source.layout
        is_dense = layout.last_axis == last and layout.padding == 0 and sizes[last] == layout.extent
        return sizes[last] if is_dense and self.takes_pitch and not source.is_kept else pitch

    def _load_runs(
        self, turned: Transposition, window: Window, emitter: Emitter
    ) -> tuple[SSAValue, tuple[int, ...]]:
        """Load a tile as it is before the transposition, and return the buffer and its shape."""
        shape = self._loaded_shape(turned, sizes_of(window))
        return self.load_kept(emitter, 0, window, turned.before, shape[-1]), shape

    def _transpose(
        self,
        x: SSAValue,
        turned: Transposition,
        sizes: Sequence[int],
        emitter: Emitter,
        zero_point: int,
    ) -> SSAValue:
        """Return a new buffer with the transposition of a tile, in the order of local tiles."""
        out = emitter.alloc(self.local_shape(sizes), self.transposed_type, name="transposed")
        emitter.permute(x, out, turned.sizes(sizes), zero_point)
        return out

    def _loaded_shape(self, turned: Transposition, sizes: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of a tile before the transposition: with the padding of its rows where they are whole."""
        layout = self.layer.inputs[0].layout
        *outer, last = turned.before
        is_whole = turned.columns == (layout.last_axis,) and sizes[last] == layout.extent
        pitch = sizes[last] + (layout.padding if is_whole else 0)
        return (*(sizes[axis] for axis in outer), pitch)
