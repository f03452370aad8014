"""The matrix product of `top`."""

from __future__ import annotations

from typing import Self

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition

from ..network.product import MatmulBase
from .top_op import TopOp


@irdl_op_definition
class MatmulOp(MatmulBase, TopOp):
    """Matrix product with NumPy's rules for leading axes; optional bias [N] added to every row.

    %y = top.matmul "fc" %x, %w, %b :
        (tensor<1x64xf32>, tensor<64x10xf32>, tensor<10xf32>) -> tensor<1x10xf32>
    """

    name = "top.matmul"

    @classmethod
    def make(
        cls,
        name: str,
        lhs: SSAValue,
        rhs: SSAValue,
        bias: SSAValue | None = None,
        *,
        location: LocationAttr | None = None,
    ) -> Self:
        """A matrix product with the result type that follows; DiagnosticError where shapes do not
        fit.
        """
        return cls.build_named(name, [lhs, rhs, bias], {}, location)
