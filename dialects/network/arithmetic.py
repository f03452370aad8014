"""What the arithmetic of two operands in top and tpu has in common: operands and shape."""

from __future__ import annotations

from xdsl.ir import SSAValue

from ..ir.field import operand
from ..quant.element_type import shape_of
from . import shape as shapes
from .shape import Shape
from .tensor_op import TensorOp


class BinaryBase(TensorOp):
    """An element-wise op of two operands, with NumPy's broadcasting."""

    lhs: SSAValue = operand()
    rhs: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shapes.broadcast_shape(shape_of(self.lhs), shape_of(self.rhs))
