"""`top-fold-movement`: removes moves of elements that are not needed, or that another op can make on the way.

Before:

    %p = top.pad "p" %x low = [0, 0, 0, 0] high = [0, 0, 1, 1] : ...
    %c = top.conv2d "c" %p, %w strides = [2, 2] : ...
    %s = top.reshape "s" %c : (tensor<1x6x4x4xf32>) -> tensor<1x2x3x4x4xf32>
    %t = top.transpose "t" %s permutation = [0, 2, 1, 3, 4] : ...
    %u = top.reshape "u" %t : (tensor<1x3x2x4x4xf32>) -> tensor<1x6x4x4xf32>

After:

    %c = top.conv2d "c" %x, %w strides = [2, 2] pads = [0, 0, 1, 1] : ...
    %u = top.gather "u" %c axis = 1 indices = [0, 3, 1, 4, 2, 5] : ...

What the network computes stays the same to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from ...dialects import top
from ...dialects.ir.attribute import ints
from ...dialects.network.rewriting import clone_with, erase_if_unused, replace_merged
from ...dialects.network.shape import ShapeError
from ...dialects.network.tensor_op import TensorOp
from ...dialects.network.traits import Moves
from ...dialects.quant.element_type import shape_of
from ...dialects.top.movement import (
    GatherToSlice,
    MergeConcats,
    MergeGathers,
    MergeSlices,
)
from ..pattern_driver import pattern_counts
from ..smalti_pass import Level, SmaltiPass

_LOWEST = float(np.finfo(np.float32).min)
"""The least number of f32; minus infinity is below it."""


class RemoveMove(RewritePattern):
    """A slice, gather or concat of all elements in order, or a pad by nothing ⇒ the operand."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, top.TopOp) or not Moves.holds(op):
            return
        folded = op.fold()
        if folded is not None:
            rewriter.replace(op, [], folded)


class SliceOfConcat(RewritePattern):
    """A slice that lies within one input of a concat ⇒ a slice of that input."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.SliceOp, rewriter: PatternRewriter, /) -> None:
        concat = op.input.owner
        if not isinstance(concat, top.ConcatOp):
            return
        axis = concat.axis.value.data
        starts, sizes, steps = (each.get_values() for each in (op.starts, op.sizes, op.steps))
        ends = starts[axis], starts[axis] + (sizes[axis] - 1) * steps[axis]
        low = 0
        for value in concat.inputs:
            high = low + shape_of(value)[axis]
            if low <= min(ends) and max(ends) < high:
                own = [*starts[:axis], starts[axis] - low, *starts[axis + 1 :]]
                name = op.result_name.data
                made = top.SliceOp(name, value, starts=own, sizes=sizes, steps=steps)
                replace_merged(rewriter, op, made, concat)
                return
            low = high


class PadIntoConv(RewritePattern):
    """conv2d of pixels padded with zeros ⇒ conv2d with pads."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.Conv2dOp, rewriter: PatternRewriter, /) -> None:
        pad = op.input.owner
        if not isinstance(pad, top.PadOp) or pad.value.value.data != 0.0:
            return
        low, high = pad.low.get_values(), pad.high.get_values()
        if any((*low[:2], *high[:2])):
            return
        own = op.pads.get_values()
        pads = [a + b for a, b in zip(own, (*low[2:], *high[2:]), strict=True)]
        made = clone_with(op, {"pads": ints(pads)})
        made.operands[0] = pad.input
        rewriter.replace(op, made)
        erase_if_unused(rewriter, pad)


class PadIntoMaxPool(RewritePattern):
    """max_pool of pixels padded with the least number there is ⇒ max_pool with pads, which never win either."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.MaxPoolOp, rewriter: PatternRewriter, /) -> None:
        pad = op.input.owner
        if not isinstance(pad, top.PadOp) or pad.value.value.data > _LOWEST:
            return
        low, high = pad.low.get_values(), pad.high.get_values()
        if any((*low[:2], *high[:2])) or op.ceil_mode is not None:
            return
        own = op.pads.get_values()
        pads = [a + b for a, b in zip(own, (*low[2:], *high[2:]), strict=True)]
        kernel = op.kernel.get_values()
        if any(each >= kernel[index % 2] for index, each in enumerate(pads)):
            return  # a window without any pixel
        made = clone_with(op, {"pads": ints(pads)})
        made.operands[0] = pad.input
        rewriter.replace(op, made)
        erase_if_unused(rewriter, pad)


class ShuffleToGather(RewritePattern):
    """reshape(transpose(reshape(x))) that splits one axis, permutes the parts and joins them again
    (a channel shuffle) ⇒ gather along that axis.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.ReshapeOp, rewriter: PatternRewriter, /) -> None:
        transpose = op.input.owner
        if not isinstance(transpose, top.TransposeOp):
            return
        split = transpose.input.owner
        if not isinstance(split, top.ReshapeOp):
            return
        shape, parts = shape_of(split.input), shape_of(split.output)
        permutation = transpose.permutation.get_values()
        if shape != shape_of(op.output):
            return
        found = _shuffled_axis(shape, parts, permutation)
        if found is None:
            return
        axis, count = found
        order = [each - axis for each in permutation[axis : axis + count]]
        places = np.arange(shape[axis]).reshape(parts[axis : axis + count]).transpose(order)
        made = top.GatherOp(
            op.result_name.data, split.input, axis=axis, indices=places.reshape(-1).tolist()
        )
        replace_merged(rewriter, op, made, transpose, split)


class RemoveExpansion(RewritePattern):
    """An element-wise op on a value repeated along an axis of size 1 ⇒ on the value itself, where
    broadcasting repeats it as well.
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, top.BinaryOp):
            return
        for index, value in enumerate(op.operands):
            gather = value.owner
            if not isinstance(gather, top.GatherOp) or _length(gather) != 1:
                continue
            made = clone_with(op, {})
            made.operands[index] = gather.input
            if _expected_shape(made) == op.output.type.get_shape():
                rewriter.replace(op, made)
                erase_if_unused(rewriter, gather)
                return
            made.erase()


@dataclass(frozen=True)
class FoldMovement(SmaltiPass):
    """Merge slices, gathers, concats and pads, and let other ops do their work."""

    name = "top-fold-movement"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = pattern_counts(
        RemoveMove,
        MergeSlices,
        SliceOfConcat,
        MergeConcats,
        MergeGathers,
        GatherToSlice,
        PadIntoConv,
        PadIntoMaxPool,
        ShuffleToGather,
        RemoveExpansion,
    )

    def run(self, ctx: Context, module: ModuleOp) -> None:
        patterns = [
            RemoveMove(),
            MergeSlices(),
            SliceOfConcat(),
            MergeConcats(),
            MergeGathers(),
            GatherToSlice(),
            PadIntoConv(),
            PadIntoMaxPool(),
            ShuffleToGather(),
            RemoveExpansion(),
        ]
        self.rewrite(module, patterns)


def _length(op: top.GatherOp) -> int:
    """Return how many elements the axis has from which a gather reads."""
    return shape_of(op.input)[op.axis.value.data]


def _shuffled_axis(
    shape: tuple[int, ...], parts: tuple[int, ...], permutation: tuple[int, ...]
) -> tuple[int, int] | None:
    """Return the axis of `shape` that `parts` splits, and into how many parts, if `permutation` moves only these; None
    if not.
    """
    count = len(parts) - len(shape) + 1
    if count < 2:
        return None
    for axis in range(len(shape)):
        if shape[:axis] != parts[:axis] or shape[axis + 1 :] != parts[axis + count :]:
            continue
        beside = [*range(axis), *range(axis + count, len(parts))]
        if all(permutation[other] == other for other in beside):
            return axis, count
    return None


def _expected_shape(op: Operation) -> tuple[int, ...] | None:
    assert isinstance(op, TensorOp)
    try:
        return op.expected_shape()
    except ShapeError:
        return None
