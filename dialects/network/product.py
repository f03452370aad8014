"""What the matrix products of top and tpu have in common: operands, shape, costs."""

from __future__ import annotations

from xdsl.ir import SSAValue

from ..ir.field import operand
from ..quant.element_type import shape_of
from . import shape as shapes
from .shape import Shape
from .tensor_op import TensorOp


class MatmulBase(TensorOp):
    """A matrix product with NumPy's rules for leading axes and vectors; bias [N]."""

    lhs: SSAValue = operand()
    rhs: SSAValue = operand()
    bias: SSAValue | None = operand(default=None)

    def expected_shape(self) -> Shape:
        bias = None if self.bias is None else shape_of(self.bias)
        return shapes.matmul_shape(shape_of(self.lhs), shape_of(self.rhs), bias)

    @property
    def macs(self) -> int:
        return shapes.matmul_macs(shape_of(self.lhs), shape_of(self.rhs))
