"""The reductions of `top`."""

from __future__ import annotations

import numpy as np
from xdsl.irdl import irdl_op_definition

from ...backends.numerics import reduction
from ..network.reduction import ReduceBase
from ..network.tensor_op import Arrays
from .top_op import TopOp


@irdl_op_definition
class ReduceOp(ReduceBase, TopOp):
    """The reduction `kind` over `axes` (non-negative, ascending); with keepdims they stay as axes of
    size 1.

    `kind`: mean, sum, max, min, prod, l1 (Σ|x|), l2 (√Σx²), sum_square (Σx²), log_sum (log Σx),
    log_sum_exp (log Σ exp x).

    %y = top.reduce "pooled" %x kind = "mean" axes = [2, 3] keepdims :
        (tensor<1x8x4x4xf32>) -> tensor<1x8x1x1xf32>
    """

    name = "top.reduce"

    def verify_(self) -> None:
        super().verify_()
        self.verify_kind()

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        reduced = reduction.reduce_f32(self.kind.data, x, self.negative_axes)
        return self.rounded(reduced.reshape(len(x), *self.output.type.get_shape()))
