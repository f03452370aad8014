"""The matrix product of `top`."""

from __future__ import annotations

import numpy as np
from xdsl.irdl import irdl_op_definition, traits_def

from ...backends.numerics import matmul
from ...backends.numerics.sample_axis import aligned, as_matrices, as_rows
from ..network.product import MatmulBase
from ..network.tensor_op import Arrays
from ..network.traits import RoundsResult
from .top_op import TopOp


@irdl_op_definition
class MatmulOp(MatmulBase, TopOp):
    """Matrix product with NumPy's rules for leading axes; optional bias [N] added to every row.

    %y = top.matmul "fc" %x, %w, %b :
        (tensor<1x64xf32>, tensor<64x10xf32>, tensor<10xf32>) -> tensor<1x10xf32>
    """

    name = "top.matmul"
    traits = traits_def(RoundsResult())

    def evaluate(self, operands: Arrays) -> np.ndarray:
        lhs, rhs = as_matrices(operands[0], operands[1])
        product = matmul.matmul(*as_rows(lhs, rhs), "f32")
        product = product.reshape(max(len(lhs), len(rhs)), *self.output.type.get_shape())
        if self.bias is not None:
            product = product + aligned(operands[2].astype(np.float32), product.ndim - 1)
        return self.rounded(product)
