"""Tiles softmax and the normalizations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import numpy as np
from xdsl.ir import SSAValue

from ....backends.instructions.normalization import LocalResponseNorm
from ....backends.numerics.rounding_up import round_up
from ....dialects import tile, tpu
from ...tiling.cost import CostModel
from ...tiling.windows import Window, sizes_of
from ..tiler_bases.box_tiler import BoxTiler
from ..tiler_bases.constants import Constants
from ..tiler_bases.emitter import Emitter
from ..tiler_bases.layer import Buffer, Layer, integers
from ..tiler_bases.tiler import Tilers

_PARAMETER_BYTES = 4


class _RowTiler(BoxTiler):
    """Base of the tilers of ops that compute each row along one axis by itself: in tiles that axis is last (the copies
    bring it there) and whole.
    """

    axis: int
    operations: int

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        if not layer.result.is_float:
            name = layer.op.name.removeprefix("tpu.")
            raise layer.error(f"the device computes {name} in float", "cast its input to f32")

    def place_axis(self, axis: int) -> None:
        """Make rows go along `axis`."""
        self.order = (*(a for a in self.layer.output.layout.order if a != axis), axis)
        self.fixed = frozenset((axis,))

    def vector_cycles(self, window: Window) -> int:
        elements = self.elements_of(sizes_of(window))
        return self.costs.vector_cycles(self.layer.output.storage, elements, self.operations)

    def load_rows(self, emitter: Emitter, window: Window) -> tuple[SSAValue, SSAValue, int]:
        """Load the tile's input; return its buffer, a buffer for the output, and the pitch of both."""
        pitch = self.pitch_of(sizes_of(window))
        x = self.load_kept(emitter, 0, window, self.order, pitch)
        shape = self.local_shape(sizes_of(window))
        return x, emitter.alloc(shape, self.layer.output.storage, name="out"), pitch


class SoftmaxTiler(_RowTiler):
    """Tiles tpu.softmax."""

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        self.operations = costs.operations_of("softmax")
        op = layer.op
        assert isinstance(op, tpu.SoftmaxOp)
        self.log = op.log is not None
        self.place_axis(op.axis.value.data)

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        x, out, pitch = self.load_rows(emitter, window)
        fields = {"columns": sizes_of(window)[self.order[-1]], "log": self.log}
        emitter.compute(tile.SoftmaxOp, [x, out], fields)
        self.store(emitter, out, window, pitch)


class LocalResponseNormTiler(_RowTiler):
    """Tiles tpu.local_response_norm, which goes along the channels (axis 1)."""

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        op = layer.op
        assert isinstance(op, tpu.LocalResponseNormOp)
        size = op.size.value.data
        self.fields = {
            "size": size,
            "alpha": op.alpha.value.data,
            "beta": op.beta.value.data,
            "offset": op.offset.value.data,
        }
        self.operations = LocalResponseNorm.operations(costs.target, size, layer.shape[1])
        self.place_axis(1)

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        x, out, pitch = self.load_rows(emitter, window)
        fields = {"columns": sizes_of(window)[1], **self.fields}
        emitter.compute(tile.LocalResponseNormOp, [x, out], fields)
        self.store(emitter, out, window, pitch)


class NormalizeTiler(BoxTiler):
    """Tiles tpu.normalize: rows of the normalized axes, which are never divided.

    If the output's contiguous axis is kept (the channels of an image), it stays innermost and its elements are
    normalized side by side; otherwise the copies bring the normalized axes to the end, as rows. Scale and bias, which
    are constants, form one table in that order, with the axes along which they vary.
    """

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        op = layer.op
        assert isinstance(op, tpu.NormalizeOp)
        if not layer.result.is_float:
            raise layer.error("the device normalizes in float", "cast its input to f32")
        self.kind, self.epsilon = op.kind.data, op.epsilon.value.data
        physical = layer.output.layout.order
        axes = frozenset(integers(op.axes))
        self.inner = physical[-1] if physical[-1] not in axes else None
        """The innermost axis, if it is kept; else None."""
        self.kept = [a for a in physical if a not in axes and a != self.inner]
        self.reduced = [a for a in physical if a in axes]
        innermost = [] if self.inner is None else [self.inner]
        self.order = (*self.kept, *self.reduced, *innermost)
        self.fixed = axes
        self.scale, self.bias = self._parameter(op.scale), self._parameter(op.bias)
        self.varying = self._varying_axes()

    def _parameter(self, value: SSAValue | None) -> Buffer | None:
        if value is None:
            return None
        buffer = self.layer.inputs[list(self.layer.op.operands).index(value)]
        if not buffer.is_weights:
            raise self.layer.error(
                "its scale and bias must be constant", "multiply and add in ops of their own"
            )
        return buffer

    def _varying_axes(self) -> frozenset[int]:
        """Return the axes along which the table of scale and bias has entries of its own. As the instruction requires,
        these are the last ones of the kept axes and the first ones of the normalized axes, even if scale and bias do
        not vary along some of them.
        """
        rank = len(self.layer.shape)
        varying: set[int] = set()
        for buffer in (self.scale, self.bias):
            if buffer is not None:
                missing = rank - len(buffer.layout.shape)
                sizes = enumerate(buffer.layout.shape, missing)
                varying.update(axis for axis, size in sizes if size > 1)
        kept = [a for a in self.kept if self.layer.shape[a] > 1]
        first = next((i for i, axis in enumerate(kept) if axis in varying), len(kept))
        varying.update(kept[first:])
        reduced = [a for a in self.reduced if self.layer.shape[a] > 1]
        if any(a not in varying and b in varying for a, b in pairwise(reduced)):
            varying.update(reduced)
        return frozenset(varying)

    def pitch_of(self, sizes: Sequence[int]) -> int:
        """Return the size of the innermost axis in whole lane groups; rows of several axes have no padding."""
        last = sizes[self.order[-1]]
        is_row = self.inner is not None or prod(sizes[a] for a in self.reduced[:-1]) == 1
        return round_up(last, self.costs.lane_group) if is_row else last

    def lies_in_place(self, buffer: Buffer) -> bool:
        """Tell whether tiles of a tensor are parts of what cores keep of it: not if that is padded, and the axes that
        are rows of a tile are not.
        """
        is_alike = self.pitch_of(self.layer.shape) == buffer.layout.pitch
        return is_alike and super().lies_in_place(buffer)

    def _rows(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Return the number of rows of a tile, and the number of elements from one row to the next."""
        rows = prod(sizes[axis] for axis in self.kept)
        return rows, self.elements_of(sizes) // rows

    def _table_shape(self, sizes: Sequence[int]) -> tuple[int, int, int, int]:
        """Return the shape of a tile's parameters: scale and bias, rows, positions in a row, elements innermost."""
        rows = prod(sizes[axis] for axis in self.kept if axis in self.varying)
        length = prod(sizes[axis] for axis in self.reduced if axis in self.varying)
        inner = self.pitch_of(sizes) if self.inner in self.varying else 1
        return 2, rows, length, inner

    def buffer_bytes(self, sizes: tuple[int, ...]) -> Sequence[int]:
        result = list(super().buffer_bytes(sizes))
        if self._has_parameters:
            result.append(prod(self._table_shape(sizes)) * _PARAMETER_BYTES)
        return result

    @property
    def _has_parameters(self) -> bool:
        return self.scale is not None or self.bias is not None

    def vector_cycles(self, window: Window) -> int:
        elements = self.elements_of(sizes_of(window))
        operations = self.costs.operations_of("normalize")
        return self.costs.vector_cycles(self.layer.output.storage, elements, operations)

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        sizes = sizes_of(window)
        pitch, shape = self.pitch_of(sizes), self._rows(sizes)
        operands = [self.load_kept(emitter, 0, window, self.order, pitch, shape)]
        if self._has_parameters:
            operands.append(self._load_parameters(emitter, constants, window))
        out = emitter.alloc(shape, self.layer.output.storage, name="out")
        emitter.compute(
            tile.NormalizeOp,
            [*operands, out],
            {
                "kind": self.kind,
                "length": prod(sizes[axis] for axis in self.reduced),
                "inner": 1 if self.inner is None else pitch,
                "epsilon": float(self.epsilon),
            },
        )
        self.store(emitter, out, window, pitch)

    def _load_parameters(self, emitter: Emitter, constants: Constants, window: Window) -> SSAValue:
        table = self._table(constants)
        ranges = (window[axis] if axis in self.varying else (0, 1) for axis in self.order)
        box = ((0, 2), *ranges)
        shape = self._table_shape(sizes_of(window))
        key = (table.value, box)
        found = self._kept.get(key)
        if found is None:
            for stale in [k for k in self._kept if k[0] is table.value]:
                del self._kept[stale]
            pitch = shape[-1] if self.inner is not None else sizes_of(box)[-1]
            found = emitter.load(table, box, range(len(box)), pitch, shape=shape)
            self._kept[key] = found
        return found

    def _table(self, constants: Constants) -> Buffer:
        """Return scale and bias as f32 [2, axes in order], with size 1 for axes along which neither varies."""

        def make() -> np.ndarray:
            sizes = tuple(
                size if axis in self.varying else 1 for axis, size in enumerate(self.layer.shape)
            )
            rows = []
            for buffer, neutral in ((self.scale, 1.0), (self.bias, 0.0)):
                array = np.float32(neutral) if buffer is None else buffer.constant(constants.store)
                rows.append(np.broadcast_to(array, sizes).transpose(self.order))
            return np.ascontiguousarray(np.stack(rows), dtype=np.float32)

        identity = (
            "normalize",
            None if self.scale is None else self.scale.value,
            None if self.bias is None else self.bias.value,
            self.order,
            self.varying,
            self.layer.shape,
        )
        origin = self.layer.op.result_name.data
        return constants.once(identity, f"{origin}.parameters", make)


TILERS: Tilers = {
    tpu.SoftmaxOp: SoftmaxTiler,
    tpu.NormalizeOp: NormalizeTiler,
    tpu.LocalResponseNormOp: LocalResponseNormTiler,
}
"""The tiler of each softmax and normalization."""
