"""The reductions of `top`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from xdsl.interfaces import HasCanonicalizationPatternsInterface
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, traits_def
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from ...backends.numerics import reduction
from ...backends.numerics.reduction import IDENTITY_KINDS, INTEGER_KINDS, SELECTING_KINDS
from ..network.reduction import ReduceBase
from ..network.rewriting import replace_merged
from ..network.tensor_op import Arrays
from ..network.traits import CanStayFloat, HasPoles, RoundsResult
from ..quant.element_type import shape_of
from .movement import ReshapeOp
from .top_op import TopOp


def _selects(op: ReduceOp) -> bool:
    return op.kind.data in SELECTING_KINDS


def _rounds(op: ReduceOp) -> bool:
    return op.kind.data in INTEGER_KINDS and not _selects(op)


def _poles(op: ReduceOp) -> Mapping[str, Sequence[float]]:
    return {"input": reduction.POLES.get(op.kind.data, ())}


@irdl_op_definition
class ReduceOp(ReduceBase, TopOp, HasCanonicalizationPatternsInterface):
    """The reduction `kind` over `axes` (non-negative, ascending); with keepdims they stay as axes of
    size 1.

    `kind`: mean, sum, max, min, prod, l1 (Σ|x|), l2 (√Σx²), sum_square (Σx²), log_sum (log Σx),
    log_sum_exp (log Σ exp x).

    %y = top.reduce "pooled" %x kind = "mean" axes = [2, 3] keepdims :
        (tensor<1x8x4x4xf32>) -> tensor<1x8x1x1xf32>
    """

    name = "top.reduce"
    KINDS: ClassVar[Sequence[str]] = reduction.KINDS
    traits = traits_def(
        RoundsResult(where=_rounds),
        CanStayFloat(only_before_poles=_rounds),
        HasPoles(points=_poles),
    )

    def verify_(self) -> None:
        super().verify_()
        self.verify_kind()

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        reduced = reduction.reduce_f32(self.kind.data, x, self.negative_axes)
        return self.rounded(reduced.reshape(len(x), *self.output.type.get_shape()))

    def keeps_elements(self) -> bool:
        """Tell whether each reduction is over a single element and gives that element unchanged."""
        shape = shape_of(self.input)
        ones = all(shape[axis] == 1 for axis in self.axes.get_values())
        return ones and self.kind.data in IDENTITY_KINDS

    def unchanged_operand(self) -> SSAValue | None:
        return self.input if self.keeps_elements() else None

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        return (ReductionToReshape(),)


class ReductionToReshape(RewritePattern):
    """Replaces a mean, sum, product, max or min that only drops axes of size 1 by a reshape."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReduceOp, rewriter: PatternRewriter, /) -> None:
        if op.keepdims is not None or not op.keeps_elements():
            return
        reshape = ReshapeOp(op.result_name.data, op.input, shape=shape_of(op.output))
        replace_merged(rewriter, op, reshape)
