"""What the arithmetic of two operands in top and tpu has in common: operands and shape."""

from __future__ import annotations

from math import prod

from xdsl.ir import SSAValue

from ..ir.field import operand
from ..quant.element_type import shape_of
from . import shape as shapes
from .constant import WeightBase
from .shape import Shape
from .tensor_op import TensorOp


class BinaryBase(TensorOp):
    """An element-wise op of two operands, with NumPy's broadcasting."""

    lhs: SSAValue = operand()
    rhs: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shapes.broadcast_shape(shape_of(self.lhs), shape_of(self.rhs))

    def operand_beside_number(self) -> SSAValue | None:
        """Return the operand whose shape is the result's, if the other one is a constant of one number or that same
        operand; None if there is no such operand or it is itself a constant.
        """
        for value, other in ((self.lhs, self.rhs), (self.rhs, self.lhs)):
            is_number = isinstance(other.owner, WeightBase) and prod(shape_of(other)) == 1
            if (is_number or other is value) and shape_of(value) == shape_of(self.output):
                return None if isinstance(value.owner, WeightBase) else value
        return None
