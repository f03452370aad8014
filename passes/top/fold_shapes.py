"""`top-fold-shapes`: merges reshapes and transposes, removes ops that change nothing, computes constants.

Before:

    %a = top.reshape "a" %x : (tensor<1x8x4x4xf32>) -> tensor<1x128xf32>
    %b = top.reshape "b" %a : (tensor<1x128xf32>) -> tensor<8x16xf32>
    %c = top.transpose "c" %b permutation = [0, 1] : (tensor<8x16xf32>) -> tensor<8x16xf32>

After:

    %c = top.reshape "b" %x : (tensor<1x8x4x4xf32>) -> tensor<8x16xf32>

What the network computes stays the same to the bit, except that constants are computed here instead of on the target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.network.rewriting import erase_if_unused
from ...dialects.network.traits import Moves
from ...dialects.quant.element_type import is_float, is_quantized, shape_of, type_bytes
from ...dialects.top.movement import (
    MergeReshapes,
    MergeTransposes,
    TransposeToReshape,
)
from ...dialects.top.reduction import ReductionToReshape
from ..pattern_driver import pattern_counts
from ..smalti_pass import Level, SmaltiPass, store_of
from .constant import constant_of, constant_result, is_filled_with, make_constant

_GROWTH_BYTES = 1 << 20
"""By how much a constant result may exceed the constants from which it is computed; a larger one is
left to the target."""


class FoldConstants(RewritePattern):
    """An op whose result has no elements, or whose operands are all constants or have no elements ⇒ the constant that
    it computes.
    """

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, top.TopOp) or self._is_left_to_the_target(op):
            return
        array = constant_result(op, self.store)
        if array is None:
            return
        weights = [operand.owner for operand in op.operands]
        element = op.output.type.element_type if is_quantized(op.output.type) else None
        constant = make_constant(op.result_name.data, array, self.store, element=element)
        rewriter.replace(op, constant)
        erase_if_unused(rewriter, *weights)

    def _is_left_to_the_target(self, op: top.TopOp) -> bool:
        """Tell whether the target computes the op even if all its operands are constants. It cannot compute on nothing,
        and the importer folds arithmetic on integers: top has floats.
        """
        if any(0 in shape_of(value) for value in (op.output, *op.operands)):
            return False
        given = sum(type_bytes(operand.type) for operand in op.operands)
        if type_bytes(op.output.type) > given + _GROWTH_BYTES:
            return True
        return not Moves.holds(op) and not all(is_float(each.type) for each in op.operands)


class RemoveNoOp(RewritePattern):
    """An op whose result is its operand, element by element ⇒ the operand."""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, top.TopOp):
            return
        folded = op.fold()
        if folded is None and isinstance(op, top.BinaryOp):
            folded = self._operand_beside_neutral(op)
        if folded is not None:
            rewriter.replace(op, [], folded)

    def _operand_beside_neutral(self, op: top.BinaryOp) -> Sequence[SSAValue] | None:
        """Return x for x + 0, 0 + x, x − 0, x · 1, 1 · x and x / 1, if x has the result's type. No folder of the op can
        do that, because constants are in the weight store.
        """
        if op.NEUTRAL is None:
            return None
        pairs = [(op.lhs, op.rhs), (op.rhs, op.lhs)] if op.COMMUTES else [(op.lhs, op.rhs)]
        for value, other in pairs:
            if is_filled_with(constant_of(other, self.store), op.NEUTRAL):
                return [value] if value.type == op.output.type else None
        return None


@dataclass(frozen=True)
class FoldShapes(SmaltiPass):
    """Merge reshapes and transposes, remove ops that change nothing, compute constants."""

    name = "top-fold-shapes"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = pattern_counts(
        FoldConstants,
        RemoveNoOp,
        MergeReshapes,
        MergeTransposes,
        TransposeToReshape,
        ReductionToReshape,
    )

    def run(self, ctx: Context, module: ModuleOp) -> None:
        store = store_of(ctx)
        patterns = [
            FoldConstants(store),
            RemoveNoOp(store),
            MergeReshapes(),
            MergeTransposes(),
            TransposeToReshape(),
            ReductionToReshape(),
        ]
        self.rewrite(module, patterns)
