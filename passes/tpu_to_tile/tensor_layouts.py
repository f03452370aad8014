"""Chooses the layout of each intermediate tensor in global memory, by the units that compute it and read it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.dialects import func
from xdsl.ir import SSAValue

from ...dialects import tpu
from ...dialects.network.traits import ChannelLast, Dense, KeepsLayout, Moves, Rearranges, RowMajor
from ...dialects.quant.element_type import shape_of
from ..tiling.layout import Layout, intermediate, row_major
from ..tiling.windows import factors_of_axes, refine

_MUCH_MORE = 2
"""How many times as many elements as it has a tensor takes at most whose channels lie last without need."""


def choose_layouts(function: func.FuncOp, lane_group: int) -> dict[SSAValue, Layout]:
    """Return the layout of every op's result in the function's block.

    Tensors of three and more axes are channel-last by default. They are row-major if they, or tensors that differ from
    them only by element-wise ops, are read or made by a matrix product, or by a softmax or normalization along the last
    axis, and by no convolution or pool. Inputs and outputs, and what is computed of them element by element alone, are
    dense, as are those that channels last would pad to much more, unless something else needs these. What is only moved
    (for example by a transpose and then a reshape) is dense, in the order in which its elements come.
    """
    chosen = _Choice(lane_group)
    results: list[SSAValue] = []
    for op in function.body.block.ops:
        if isinstance(op, tpu.TpuOp):
            results.append(op.results[0])
            chosen.note(op)
    chosen.settle(function)
    for result in results:
        chosen.follow(result)
    return {result: chosen.layout_of(result) for result in results}


class _Choice:
    """What is known of the groups of values that are laid out alike."""

    def __init__(self, lane_group: int) -> None:
        self.lane_group = lane_group
        self.groups = _Groups()
        kinds = ("images", "rows", "computed", "combined", "moved")
        self._touched: dict[str, list[SSAValue]] = {kind: [] for kind in kinds}
        self.images: set[SSAValue] = set()
        self.rows: set[SSAValue] = set()
        self.computed: set[SSAValue] = set()
        self.dense: set[SSAValue] = set()
        self.orders: dict[SSAValue, tuple[int, ...]] = {}

    def note(self, op: tpu.TpuOp) -> None:
        """Note which layouts `op` asks for its operands and result."""
        result = op.results[0]
        touched = [*op.operands, result]
        if not Moves.holds(op):
            self._touch("computed", touched)
        kept = KeepsLayout.operands_like_result(op)
        trait = KeepsLayout.of(op)
        if trait is None or trait.operand is not None:
            self._touch("moved" if Moves.holds(op) else "combined", touched)
        for value in kept:
            self.groups.join(value, result)
        computed_on = [*kept, result] if kept else touched
        if ChannelLast.holds(op):
            self._touch("images", computed_on)
        elif RowMajor.holds(op):
            self._touch("rows", computed_on)

    def _touch(self, kind: str, values: list[SSAValue]) -> None:
        self._touched[kind] += [value for value in values if len(shape_of(value)) >= 3]

    def settle(self, function: func.FuncOp) -> None:
        """Settle the layouts of the groups, once every op of the function has been noted."""
        find = self.groups.find
        self.images = {find(value) for value in self._touched["images"]}
        self.rows = {find(value) for value in self._touched["rows"]} - self.images
        self.computed = {find(value) for value in self._touched["computed"]}
        moved = {find(value) for value in self._touched["moved"]}
        combined = {find(value) for value in self._touched["combined"]}
        returned = function.get_return_op()
        for port in (*function.args, *(() if returned is None else returned.operands)):
            group, shape = find(port), shape_of(port)
            padded = intermediate(shape, self.lane_group).size > _MUCH_MORE * prod(shape)
            if group not in self.images | self.rows | moved and (group not in combined or padded):
                self.dense.add(group)

    def follow(self, result: SSAValue) -> None:
        """Lay out the group of a result that an op only rearranges as its elements come, if nothing else settles it: in
        that order if it is only moved, row-major if they come row-major.
        """
        op = result.owner
        rearranged = Rearranges.of(op)
        if rearranged is None or not isinstance(op, tpu.TpuOp):
            return
        group = self.groups.find(result)
        if len(shape_of(result)) < 3 or group in self.images | self.rows or group in self.orders:
            return
        source, permutation = self.layout_of(op.operands[0]), rearranged.permutation(op)
        order = _order_of_elements(source, permutation, shape_of(result))
        if order is None:
            return
        if group not in self.computed:
            self.orders[group] = order
        elif order == tuple(range(len(order))):
            self.rows.add(group)

    def layout_of(self, value: SSAValue) -> Layout:
        """Return the layout of `value`, as far as it is known; inputs and weights are dense and row-major."""
        shape = shape_of(value)
        if not isinstance(value.owner, tpu.TpuOp) or isinstance(value.owner, tpu.WeightOp):
            return row_major(shape)
        if _is_dense(value):
            return row_major(shape)
        if len(shape) < 3:
            return row_major(shape, self.lane_group)
        group = self.groups.find(value)
        if group in self.rows:
            return row_major(shape, self.lane_group)
        if group in self.dense:
            return row_major(shape)
        if group in self.images or group in self.computed:
            return intermediate(shape, self.lane_group)
        order = self.orders.get(group)
        return row_major(shape) if order is None else Layout(shape, order, shape[order[-1]])


def _is_dense(value: SSAValue) -> bool:
    """Tell whether an op makes or reads a value that must be dense."""
    return Dense.holds(value.owner) or any(Dense.holds(use.operation) for use in value.uses)


def _order_of_elements(
    source: Layout, permutation: Sequence[int], target: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Return the order of the axes of `target` in which the elements come out of `source`, once its axes are permuted;
    None if an axis of `target` joins elements that do not lie together.
    """
    shape = tuple(source.shape[axis] for axis in permutation)
    permuted = tuple(permutation.index(axis) for axis in source.order)
    if shape == target:
        return permuted
    factors = refine(shape, target)
    if factors is None:
        return tuple(range(len(target)))  # by way of a tensor of one axis
    own = factors_of_axes(shape, factors)
    nests = factors_of_axes(target, factors)
    axis_of = {factor: axis for axis, nest in enumerate(nests) for factor in nest}
    sequence = [factor for axis in permuted for factor in own[axis]]
    order: list[int] = []
    while sequence:
        axis = axis_of[sequence[0]]
        nest = nests[axis]
        if sequence[: len(nest)] != nest:
            return None
        order.append(axis)
        del sequence[: len(nest)]
    # An axis of one element may lie anywhere: put it behind the one before it.
    for axis, nest in enumerate(nests):
        if not nest:
            order.insert(order.index(axis - 1) + 1 if axis else 0, axis)
    return tuple(order)


class _Groups:
    """Disjoint sets of values (union-find with path halving)."""

    def __init__(self) -> None:
        self._parent: dict[SSAValue, SSAValue] = {}

    def find(self, value: SSAValue) -> SSAValue:
        """Return the representative of the set of `value`."""
        parent = self._parent
        while (above := parent.get(value, value)) is not value:
            parent[value] = parent.get(above, above)
            value = above
        return value

    def join(self, a: SSAValue, b: SSAValue) -> None:
        """Merge the sets of `a` and `b` into one."""
        root_a, root_b = self.find(a), self.find(b)
        if root_a is not root_b:
            self._parent[root_a] = root_b
