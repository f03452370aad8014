"""Chooses the layout of each intermediate tensor in global memory, by the units that compute it and
read it.
"""

from __future__ import annotations

from xdsl.dialects import func
from xdsl.ir import SSAValue

from ...dialects import tpu
from ...dialects.element import shape_of
from ..tile.layout import Layout, intermediate, row_major

_IMAGE_OPS = (tpu.Conv2dOp, tpu.MaxPoolOp, tpu.AvgPoolOp, tpu.LocalResponseNormOp)
"""Their tiles are channel-last."""
_KEEPS_LAYOUT = (
    tpu.AddOp, tpu.SubOp, tpu.MulOp, tpu.DivOp, tpu.CastOp, tpu.RequantizeOp, tpu.ClampOp,
    tpu.ResampleOp, tpu.ConcatOp, tpu.SliceOp, tpu.PadOp,
)  # fmt: skip
"""Their operands and result are best laid out alike."""


def choose_layouts(function: func.FuncOp, lane_group: int) -> dict[SSAValue, Layout]:
    """The layout of every op's result in the function's block.

    Tensors of three axes and more are channel-last, but row-major where a matrix product, or a
    softmax or normalisation along the last axis, reads or makes them, or what differs from them by element-wise ops
    only, and no convolution or pool does.
    """
    groups = _Groups()
    images: list[SSAValue] = []
    rows: list[SSAValue] = []
    results: list[SSAValue] = []
    for op in function.body.block.ops:
        if not isinstance(op, tpu.TpuOp):
            continue
        result = op.results[0]
        results.append(result)
        touched = [value for value in (*op.operands, result) if len(shape_of(value)) >= 3]
        if isinstance(op, _IMAGE_OPS):
            images += touched
        elif isinstance(op, tpu.MatmulOp) or (
            isinstance(op, tpu.SoftmaxOp) and op.axis.value.data == len(shape_of(result)) - 1
        ):
            rows += touched
        elif isinstance(op, tpu.NormalizeOp):
            groups.join(op.input, result)
            if op.axes.get_values()[-1] == len(shape_of(result)) - 1:
                rows += [result] if len(shape_of(result)) >= 3 else []
        elif isinstance(op, _KEEPS_LAYOUT):
            for value in touched:
                if len(shape_of(value)) == len(shape_of(result)):
                    groups.join(value, result)
    image_groups = {groups.find(value) for value in images}
    row_groups = {groups.find(value) for value in rows} - image_groups
    layouts: dict[SSAValue, Layout] = {}
    for result in results:
        shape = shape_of(result)
        if groups.find(result) in row_groups:
            layouts[result] = row_major(shape, lane_group)
        else:
            layouts[result] = intermediate(shape, lane_group)
    return layouts


class _Groups:
    """Disjoint sets of values (union-find with path halving)."""

    def __init__(self) -> None:
        self._parent: dict[SSAValue, SSAValue] = {}

    def find(self, value: SSAValue) -> SSAValue:
        """The representative of the set of `value`."""
        parent = self._parent
        while (above := parent.get(value, value)) is not value:
            parent[value] = parent.get(above, above)
            value = above
        return value

    def join(self, a: SSAValue, b: SSAValue) -> None:
        """Makes the sets of `a` and `b` one."""
        root_a, root_b = self.find(a), self.find(b)
        if root_a is not root_b:
            self._parent[root_a] = root_b
