"""What the arithmetic of two operands in top and tpu has in common: operands and shape."""

from __future__ import annotations

from xdsl.dialects.builtin import TensorType
from xdsl.irdl import operand_def

from ..quant.element_type import shape_of
from . import shape as shapes
from .shape import Shape
from .tensor_op import TensorOp


class BinaryBase(TensorOp):
    """An element-wise op of two operands, with NumPy's broadcasting."""

    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)

    def expected_shape(self) -> Shape:
        return shapes.broadcast_shape(shape_of(self.lhs), shape_of(self.rhs))
