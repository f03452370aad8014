"""Puts a copy between an input or output and the layers inside, where these are better off with another layout.

    %image (the input, [N, C, H, W]) ─ tpu.clamp "image.copy" ─ %image.copy (channels last) ─ tpu.conv2d …

A cast at the border of a network used to be where layouts changed. Where the host casts, a layer would have to gather
element by element what lies in other runs than it computes on; a copy, which is a clamp without bounds, is transposed
tile by tile in local memory instead. And what several layers read would be loaded by each of them, where a copy stays
in local memories. What one reader takes as it lies, or transposes itself, needs no copy.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import func
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Operation, SSAValue

from ...backends.numerics.ports.port_format import MODEL_LAYOUT
from ...dialects import tpu
from ...dialects.ir.text.value_name import value_name
from ...dialects.network.ports import NetworkPort, network_ports
from ...dialects.network.traits import ChannelLast, KeepsLayout
from ...dialects.quant.element_type import shape_of
from ..pattern_driver import UniqueNames
from ..tiling.layout import Layout
from .tensor_layouts import choose_layouts


def insert_port_copies(function: func.FuncOp, lane_group: int) -> None:
    """Insert the copies at ports that the host converts, or that lie in another layout than the model's. Ports that are
    as the model has them stay: there is a cast where the type changes, and else the layers take them as they lie.
    """
    inputs, outputs = network_ports(function, "input"), network_ports(function, "output")
    if any(map(_is_special, (*inputs, *outputs))):
        layouts = choose_layouts(function, lane_group)
        _PortCopies(function, inputs, outputs, layouts, lane_group).insert()


def _is_special(port: NetworkPort) -> bool:
    return port.is_converted or port.layout != MODEL_LAYOUT


@dataclass
class _PortCopies:
    """The ports of a function, and the layouts that its tensors would have between layers.

    `direct`: the results that are written as their outputs lie, with the order of the axes.
    """

    function: func.FuncOp
    inputs: Sequence[NetworkPort]
    outputs: Sequence[NetworkPort]
    layouts: dict[SSAValue, Layout]
    lane_group: int
    direct: dict[SSAValue, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.block = self.function.body.block
        self._names = UniqueNames(self.function)
        self._orders: dict[SSAValue, tuple[int, ...]] = {
            argument: port.format.order
            for argument, port in zip(self.block.args, self.inputs, strict=True)
        }

    def insert(self) -> None:
        """Insert the copies: of outputs first, because their layouts decide what some readers of inputs want."""
        returned = self.block.last_op
        assert isinstance(returned, func.ReturnOp)
        for index, port in enumerate(self.outputs):
            value, order = returned.operands[index], port.format.order
            if value not in self.layouts or not _is_special(port) or value in self.direct:
                continue
            if self._is_written_as(value, order):
                self.direct[value] = order
            else:
                copy = self._copy(value, port.name)
                self.block.insert_op_before(copy, returned)
                returned.operands[index] = copy.output
        first = self.block.first_op
        assert first is not None
        for argument, port in zip(tuple(self.block.args), self.inputs, strict=True):
            uses = [use for use in argument.uses if use.operation is not returned]
            readers = {use.operation for use in uses}
            if not _is_special(port) or not readers or self._is_read(argument, readers):
                continue
            copy = self._copy(argument, port.name)
            self.block.insert_op_before(copy, first)
            for use in uses:
                use.operation.operands[use.index] = copy.output

    def _copy(self, value: SSAValue, port: str) -> tpu.ClampOp:
        """Return the copy of a value between a port and the layers."""
        name = self._names.fresh(f"{port}.copy")
        made_by = value.owner
        location = made_by.location if isinstance(made_by, Operation) else self.function.location
        copy = tpu.ClampOp.create(
            operands=[value],
            result_types=[value.type],
            properties={"name": StringAttr(name)},
            location=location,
        )
        copy.output.name_hint = value_name(name)
        return copy

    def _is_written_as(self, value: SSAValue, order: tuple[int, ...]) -> bool:
        """Tell whether the op that makes an output is to write it with its axes in `order`."""
        op, shape = value.owner, shape_of(value)
        assert isinstance(op, tpu.TpuOp)
        operands = KeepsLayout.operands_like_result(op)
        joins = bool(operands) and not _is_element_wise(op)
        if any(not isinstance(use.operation, func.ReturnOp) for use in value.uses):
            return False
        if len(shape) < 3 or (not joins and _same_order(self.layouts[value].order, order, shape)):
            return True
        if not joins:
            is_row_major = order == tuple(range(len(shape)))
            return _is_element_wise(op) or (is_row_major and not ChannelLast.holds(op))
        return self._has_long_rows(order, shape) and all(
            operand in self._orders
            and _same_order(self._orders[operand], order, shape)
            and all(use.operation is op for use in operand.uses)
            for operand in operands
        )

    def _is_read(self, value: SSAValue, readers: Collection[Operation]) -> bool:
        """Tell whether an input is to be read as it lies: only by one op. A copy of what several read can stay in local
        memories, and an input would be loaded for each of them.
        """
        (op, *others) = readers
        if others:
            return False
        shape, order = shape_of(value), self._orders[value]
        assert isinstance(op, tpu.TpuOp)
        if len(shape) < 3 or _is_element_wise(op):
            return True
        if ChannelLast.holds(op):
            return _same_order(order, (0, *range(2, len(shape)), 1), shape)
        if value in KeepsLayout.operands_like_result(op):
            result = op.results[0]
            wanted = self.direct.get(result, self.layouts[result].order)
            return _same_order(order, wanted, shape) and self._has_long_rows(order, shape)
        return order == tuple(range(len(shape)))

    def _has_long_rows(self, order: tuple[int, ...], shape: Sequence[int]) -> bool:
        """Tell whether a row has a lane group at least. Ops of several operands load shorter ones one by one."""
        return shape[order[-1]] >= self.lane_group


def _is_element_wise(op: tpu.TpuOp) -> bool:
    """Tell whether an op computes each element from the same element of one operand: then it transposes its tiles
    itself where layouts differ.
    """
    operand = op.table_operand()
    return operand is not None and KeepsLayout.operands_like_result(op) == [operand]


def _same_order(one: Sequence[int], other: Sequence[int], shape: Sequence[int]) -> bool:
    """Tell whether two orders of axes are the same but for axes of one element."""
    return [a for a in one if shape[a] > 1] == [a for a in other if shape[a] > 1]
