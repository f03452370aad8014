"""What the reductions of top and tpu have in common: kinds, axes, shape."""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr, UnitAttr
from xdsl.ir import SSAValue

from ...backends.numerics.reduction import KINDS
from ..ir.attribute import Ints, check_one_of, flag, ints, text
from ..ir.field import operand, prop
from ..quant.element_type import shape_of
from . import shape as shapes
from .shape import Shape
from .tensor_op import TensorOp


class ReduceBase(TensorOp):
    """The reduction `kind` over `axes` (non-negative, ascending); with keepdims they stay as axes of
    size 1.

    `kind`: mean, sum, max, min, prod, l1 (Σ|x|), l2 (√Σx²), sum_square (Σx²), log_sum (log Σx),
    log_sum_exp (log Σ exp x).
    """

    kind: StringAttr = prop(converter=text)
    axes: Ints = prop(converter=ints)
    keepdims: UnitAttr | None = prop(converter=flag, default=False)
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shapes.reduce_shape(
            shape_of(self.input), self.axes.get_values(), self.keepdims is not None
        )

    @property
    def negative_axes(self) -> tuple[int, ...]:
        """The axes counted from the end, as the numerics functions take them."""
        rank = len(shape_of(self.input))
        return tuple(axis - rank for axis in self.axes.get_values())

    def verify_kind(self) -> None:
        """Raise VerifyException if the kind of reduction is unknown."""
        check_one_of("kind", self.kind.data, KINDS)
