"""`top-fold-shapes`: merges reshapes and transposes, removes ops that change nothing, computes what
is constant.

Before:

    %a = top.reshape "a" %x : (tensor<1x8x4x4xf32>) -> tensor<1x128xf32>
    %b = top.reshape "b" %a : (tensor<1x128xf32>) -> tensor<8x16xf32>
    %c = top.transpose "c" %b permutation = [0, 1] : (tensor<8x16xf32>) -> tensor<8x16xf32>

After:

    %c = top.reshape "b" %x : (tensor<1x8x4x4xf32>) -> tensor<8x16xf32>

What the network computes stays the same to the bit, except that constants are computed here instead
of on the target.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from ...backends.numerics.storage import dtype_of
from ...dialects import top
from ...dialects.ir.weights import WeightStore, value_of
from ...dialects.quant.element_type import element_storage, is_float, shape_of, type_bytes
from ..pattern_driver import erase_if_unused, pattern_counts, take_type
from ..smalti_pass import Level, SmaltiPass, store_of
from .constant import constant_of, is_filled_with, make_constant

_GROWTH_BYTES = 1 << 20
"""A constant result may be this much larger than the constants that it is computed from; a larger
one is left to the target."""

_KEEP_ONE_ELEMENT = ("mean", "sum", "prod", "max", "min")
"""Reductions that give a single element as it is."""


class FoldConstants(RewritePattern):
    """An op whose operands are all constants ⇒ the constant that it computes."""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, top.TopOp) or not op.operands:
            return
        weights: list[top.WeightOp] = []
        for operand in op.operands:
            if not isinstance(operand.owner, top.WeightOp):
                return
            weights.append(operand.owner)
        result = op.results[0].type
        if (
            type_bytes(result)
            > sum(type_bytes(each.output.type) for each in weights) + _GROWTH_BYTES
        ):
            return
        moves = isinstance(op, top.ReshapeOp | top.TransposeOp)
        if not moves and not all(is_float(each.output.type) for each in weights):
            return  # arithmetic on integers is the importer's to fold: top has floats
        operands = [value_of(each, self.store)[None] for each in weights]
        dtype = dtype_of(element_storage(op.output.type))
        array = op.evaluate(operands)[0].astype(dtype, copy=False)
        rewriter.replace(op, make_constant(op.result_name.data, array, self.store))
        erase_if_unused(rewriter, *weights)


class RemoveNoOp(RewritePattern):
    """An op whose result is its operand, element by element ⇒ the operand."""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        value = self._unchanged_operand(op)
        # Types may differ in what calibration says; then the op is where that changes.
        if value is not None and value.type == op.results[0].type:
            rewriter.replace(op, [], [value])

    def _unchanged_operand(self, op: Operation) -> SSAValue | None:
        match op:
            case top.ReshapeOp() | top.CastOp():
                return op.input
            case top.TransposeOp() if _is_identity(op.permutation.get_values()):
                return op.input
            case top.ClipOp() if op.low is None and op.high is None:
                return op.input
            case top.MaxPoolOp() | top.AvgPoolOp() if _keeps_pixels(op):
                return op.input
            case top.ReduceOp() if op.kind.data in _KEEP_ONE_ELEMENT and all(
                shape_of(op.input)[axis] == 1 for axis in op.axes.get_values()
            ):
                return op.input
            case top.ResizeOp() if _keeps_size(op):
                return op.input
            case top.BinaryOp():
                return self._operand_beside_neutral(op)
            case _:
                return None

    def _operand_beside_neutral(self, op: top.BinaryOp) -> SSAValue | None:
        """x of x + 0, 0 + x, x − 0, x · 1, 1 · x, x / 1."""
        neutral = 1.0 if isinstance(op, top.MulOp | top.DivOp) else 0.0
        if is_filled_with(constant_of(op.rhs, self.store), neutral):
            return op.lhs
        commutes = isinstance(op, top.AddOp | top.MulOp)
        if commutes and is_filled_with(constant_of(op.lhs, self.store), neutral):
            return op.rhs
        return None


class MergeReshapes(RewritePattern):
    """reshape(reshape(x)) ⇒ reshape(x)."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.ReshapeOp, rewriter: PatternRewriter, /) -> None:
        inner = op.input.owner
        if not isinstance(inner, top.ReshapeOp):
            return
        merged = top.ReshapeOp(op.result_name.data, inner.input, shape=shape_of(op.output))
        take_type(merged, op.output)
        rewriter.replace(op, merged)
        erase_if_unused(rewriter, inner)


class MergeTransposes(RewritePattern):
    """transpose(transpose(x)) ⇒ transpose(x) with both permutations."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.TransposeOp, rewriter: PatternRewriter, /) -> None:
        inner = op.input.owner
        if not isinstance(inner, top.TransposeOp):
            return
        first = inner.permutation.get_values()
        permutation = [first[axis] for axis in op.permutation.get_values()]
        merged = top.TransposeOp(op.result_name.data, inner.input, permutation=permutation)
        take_type(merged, op.output)
        rewriter.replace(op, merged)
        erase_if_unused(rewriter, inner)


class TransposeToReshape(RewritePattern):
    """A transpose that moves axes of size 1 only ⇒ reshape: the elements stay where they are."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.TransposeOp, rewriter: PatternRewriter, /) -> None:
        shape = shape_of(op.input)
        moved = [axis for axis in op.permutation.get_values() if shape[axis] != 1]
        if moved != sorted(moved):
            return
        reshape = top.ReshapeOp(op.result_name.data, op.input, shape=shape_of(op.output))
        take_type(reshape, op.output)
        rewriter.replace(op, reshape)


class ReductionToReshape(RewritePattern):
    """A mean, sum, product, max or min over axes of size 1 that drops them ⇒ reshape."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.ReduceOp, rewriter: PatternRewriter, /) -> None:
        shape = shape_of(op.input)
        if op.kind.data not in _KEEP_ONE_ELEMENT:
            return
        if op.keepdims is not None or any(shape[axis] != 1 for axis in op.axes.get_values()):
            return
        reshape = top.ReshapeOp(op.result_name.data, op.input, shape=shape_of(op.output))
        take_type(reshape, op.output)
        rewriter.replace(op, reshape)


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


def _is_identity(permutation: tuple[int, ...]) -> bool:
    return permutation == tuple(range(len(permutation)))


def _keeps_pixels(op: top.PoolOp) -> bool:
    """Whether every window is the one pixel where it stands."""
    ones = math.prod(op.kernel.get_values()) == 1 and math.prod(op.strides.get_values()) == 1
    return ones and not any(op.pads.get_values())


def _keeps_size(op: top.ResizeOp) -> bool:
    """Whether a resize gives its input: every scale is 1 and each result pixel lies on the input
    pixel of its index."""
    mode = op.coordinate_transformation_mode.data
    # tf_crop_and_resize cuts out a region; tf_half_pixel_for_nn looks half a pixel to the right.
    exact = mode not in ("tf_crop_and_resize", "tf_half_pixel_for_nn")
    return exact and all(scale == 1.0 for scale in op.scales.get_values())
