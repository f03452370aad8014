"""The matrix product of `top`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from xdsl.irdl import irdl_op_definition, traits_def

from ...backends.numerics import matmul
from ...backends.numerics.sample_axis import aligned, as_matrices, as_rows
from ..network.product import MatmulBase
from ..network.tensor_op import Arrays
from ..network.traits import CanStayFloat, RoundsResult, SumsProducts, WeighsChannels
from ..quant.element_type import shape_of
from .constant import WeightOp
from .top_op import TopOp


def _is_weighted_sum(op: MatmulOp) -> bool:
    """Tell whether the right side is one column: a sum with weights, which costs as little as a reduction."""
    shape = shape_of(op.rhs)
    return len(shape) == 1 or shape[-1] == 1


def _has_constant_weights(op: MatmulOp) -> bool:
    """Tell whether the right side, a matrix, and the bias are constants."""
    constants = [op.rhs, *([] if op.bias is None else [op.bias])]
    return len(shape_of(op.rhs)) >= 2 and all(
        isinstance(each.owner, WeightOp) for each in constants
    )


def _axes_of_sums(op: MatmulOp) -> tuple[int, int]:
    return len(shape_of(op.lhs)) - 1, len(shape_of(op.rhs)) - 2


@irdl_op_definition
class MatmulOp(MatmulBase, TopOp):
    """Matrix product with NumPy's rules for leading axes; optional bias [N] added to every row.

    %y = top.matmul "fc" %x, %w, %b :
        (tensor<1x64xf32>, tensor<64x10xf32>, tensor<10xf32>) -> tensor<1x10xf32>
    """

    name = "top.matmul"
    traits = traits_def(
        RoundsResult(),
        CanStayFloat(where=_is_weighted_sum, only_before_poles=_is_weighted_sum),
        WeighsChannels(where=_has_constant_weights, axes=_axes_of_sums),
        # A vector on the right has no columns.
        SumsProducts(
            where=lambda op: len(shape_of(op.rhs)) >= 2, weight="rhs", weight_axis=-1, axis=-1
        ),
    )

    @classmethod
    def variants(cls, example: str) -> Mapping[str, str]:
        return {"": example.replace("<1x", "<64x"), "of one row": example}

    def evaluate(self, operands: Arrays) -> np.ndarray:
        lhs, rhs = as_matrices(operands[0], operands[1])
        product = matmul.matmul(*as_rows(lhs, rhs), "f32")
        product = product.reshape(max(len(lhs), len(rhs)), *self.output.type.get_shape())
        if self.bias is not None:
            product = product + aligned(operands[2].astype(np.float32), product.ndim - 1)
        return self.rounded(product)

    def factors(self, input: np.ndarray) -> np.ndarray:
        """Return what the weights [K, N] are multiplied by, of an input [S, ..., K]: [1, rows, K]."""
        return input.reshape(1, -1, input.shape[-1])

    def weight_matrices(self, weight: np.ndarray) -> np.ndarray:
        """Return weights [K, N] as [1, K, N]."""
        return weight.reshape(1, *weight.shape[-2:])

    def weight_of_matrices(self, matrices: np.ndarray) -> np.ndarray:
        """Return the weights of which `weight_matrices` makes `matrices`."""
        return matrices.reshape(shape_of(self.rhs))

    def sums(self, result: np.ndarray) -> np.ndarray:
        """Return a result [S, ..., N] as [1, rows, N], with the rows of `factors`."""
        return result.reshape(1, -1, result.shape[-1])
