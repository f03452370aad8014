"""The ops of `top` that move elements: they take tensors apart, join them, and reorder them."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import numpy as np
from xdsl.interfaces import HasCanonicalizationPatternsInterface
from xdsl.ir import Operation, SSAValue
from xdsl.irdl import irdl_op_definition, traits_def
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from ...backends.numerics import movement
from ..ir.attribute import Integer, Ints, integer, ints
from ..ir.field import operand, prop
from ..network import shape as shapes
from ..network.movement import ConcatBase, PadBase, ReshapeBase, SliceBase, TransposeBase
from ..network.rewriting import replace_merged
from ..network.shape import Shape
from ..network.tensor_op import Arrays
from ..network.traits import CanStayFloat, GivesQuantization, Moves, RoundsResult
from ..quant.element_type import shape_of
from .top_op import TopOp


@irdl_op_definition
class ReshapeOp(ReshapeBase, TopOp, HasCanonicalizationPatternsInterface):
    """The same elements in row-major order under another shape, that of the result type.

    %flat = top.reshape "flat" %mean : (tensor<1x8x1x1xf32>) -> tensor<1x8xf32>
    """

    name = "top.reshape"
    traits = traits_def(CanStayFloat())
    NEEDS_FLOATS: ClassVar[bool] = False

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        return (MergeReshapes(),)


@irdl_op_definition
class TransposeOp(TransposeBase, TopOp, HasCanonicalizationPatternsInterface):
    """Axis i of the result is axis permutation[i] of the input.

    %back = top.transpose "back" %swapped permutation = [1, 0] :
        (tensor<8x1xf32>) -> tensor<1x8xf32>
    """

    name = "top.transpose"
    traits = traits_def(CanStayFloat())
    NEEDS_FLOATS: ClassVar[bool] = False

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        return (
            MergeTransposes(),
            TransposeToReshape(),
        )


@irdl_op_definition
class ConcatOp(ConcatBase, TopOp, HasCanonicalizationPatternsInterface):
    """The inputs one after the other along `axis` (non-negative).

    %y = top.concat "y" %a, %b axis = 1 :
        (tensor<1x2x4xf32>, tensor<1x3x4xf32>) -> tensor<1x5x4xf32>
    """

    name = "top.concat"
    traits = traits_def(RoundsResult(), GivesQuantization(), CanStayFloat())
    NEEDS_FLOATS: ClassVar[bool] = False

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        return (MergeConcats(),)


@irdl_op_definition
class SliceOp(SliceBase, TopOp, HasCanonicalizationPatternsInterface):
    """Along axis d the elements starts[d] + i·steps[d], 0 <= i < sizes[d]; steps may be negative.

    %y = top.slice "y" %x starts = [0, 7] sizes = [1, 4] steps = [1, -2] :
        (tensor<1x8xf32>) -> tensor<1x4xf32>
    """

    name = "top.slice"
    traits = traits_def(CanStayFloat())
    NEEDS_FLOATS: ClassVar[bool] = False

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        return (MergeSlices(),)


@irdl_op_definition
class PadOp(PadBase, TopOp):
    """The input with low[d] elements of `value` before and high[d] after it along axis d.

    %y = top.pad "y" %x low = [0, 1] high = [0, 2] :
        (tensor<1x8xf32>) -> tensor<1x11xf32>
    """

    name = "top.pad"
    traits = traits_def(CanStayFloat())
    NEEDS_FLOATS: ClassVar[bool] = False

    def evaluate(self, operands: Arrays) -> np.ndarray:
        low, high = self.low.get_values(), self.high.get_values()
        return movement.pad(operands[0], low, high, self.value.value.data)


@irdl_op_definition
class GatherOp(TopOp, HasCanonicalizationPatternsInterface):
    """The elements along `axis` (non-negative) at `indices`, in their order; an index may appear several times.

    %y = top.gather "y" %x axis = 1 indices = [2, 0, 0] :
        (tensor<1x8xf32>) -> tensor<1x3xf32>
    """

    name = "top.gather"
    traits = traits_def(Moves(), CanStayFloat())
    axis: Integer = prop(converter=integer)
    indices: Ints = prop(converter=ints)
    input: SSAValue = operand()
    NEEDS_FLOATS: ClassVar[bool] = False

    def expected_shape(self) -> Shape:
        indices = self.indices.get_values()
        return shapes.gather_shape(shape_of(self.input), self.axis.value.data, indices)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        axis = self.axis.value.data - (x.ndim - 1)
        return movement.gather(x, axis, self.indices.get_values())

    def unchanged_operand(self) -> SSAValue | None:
        length = shape_of(self.input)[self.axis.value.data]
        return self.input if self.indices.get_values() == tuple(range(length)) else None

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        return (
            MergeGathers(),
            GatherToSlice(),
        )


class MergeReshapes(RewritePattern):
    """Merges two reshapes: reshape(reshape(x)) ⇒ reshape(x)."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter, /) -> None:
        inner = op.input.owner
        if not isinstance(inner, ReshapeOp):
            return
        merged = ReshapeOp(op.result_name.data, inner.input, shape=shape_of(op.output))
        replace_merged(rewriter, op, merged, inner)


class MergeTransposes(RewritePattern):
    """Merges two transposes: transpose(transpose(x)) ⇒ transpose(x) with both permutations combined."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter, /) -> None:
        inner = op.input.owner
        if not isinstance(inner, TransposeOp):
            return
        first = inner.permutation.get_values()
        permutation = [first[axis] for axis in op.permutation.get_values()]
        merged = TransposeOp(op.result_name.data, inner.input, permutation=permutation)
        replace_merged(rewriter, op, merged, inner)


class TransposeToReshape(RewritePattern):
    """Replaces a transpose that moves only axes of size 1 by a reshape, as no element changes its place."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter, /) -> None:
        shape = shape_of(op.input)
        moved = [axis for axis in op.permutation.get_values() if shape[axis] != 1]
        if moved != sorted(moved):
            return
        reshape = ReshapeOp(op.result_name.data, op.input, shape=shape_of(op.output))
        replace_merged(rewriter, op, reshape)


class MergeSlices(RewritePattern):
    """Merges two slices: slice(slice(x)) ⇒ slice(x)."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SliceOp, rewriter: PatternRewriter, /) -> None:
        inner = op.input.owner
        if not isinstance(inner, SliceOp):
            return
        pairs = [
            (first + start * step, step * stride)
            for first, step, start, stride in zip(
                inner.starts.get_values(),
                inner.steps.get_values(),
                op.starts.get_values(),
                op.steps.get_values(),
                strict=True,
            )
        ]
        starts, steps = [a for a, _ in pairs], [b for _, b in pairs]
        merged = SliceOp(
            op.result_name.data, inner.input, starts=starts, sizes=shape_of(op.output), steps=steps
        )
        replace_merged(rewriter, op, merged, inner)


class MergeConcats(RewritePattern):
    """Merges two concats along one axis: concat(…, concat(a, b), …) ⇒ concat(…, a, b, …), if nothing else reads the
    inner one.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConcatOp, rewriter: PatternRewriter, /) -> None:
        inputs: list[SSAValue] = []
        merged: list[Operation] = []
        for value in op.inputs:
            inner = value.owner
            if isinstance(inner, ConcatOp) and inner.axis == op.axis and value.has_one_use():
                inputs += inner.inputs
                merged.append(inner)
            else:
                inputs.append(value)
        if merged:
            made = ConcatOp(op.result_name.data, inputs, axis=op.axis.value.data)
            replace_merged(rewriter, op, made, *merged)


class MergeGathers(RewritePattern):
    """Merges two gathers along one axis: gather(gather(x)) ⇒ gather(x)."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GatherOp, rewriter: PatternRewriter, /) -> None:
        inner = op.input.owner
        if not isinstance(inner, GatherOp) or inner.axis != op.axis:
            return
        first = inner.indices.get_values()
        indices = [first[index] for index in op.indices.get_values()]
        name = op.result_name.data
        made = GatherOp(name, inner.input, axis=op.axis.value.data, indices=indices)
        replace_merged(rewriter, op, made, inner)


class GatherToSlice(RewritePattern):
    """Replaces a gather of elements at equal distances by a slice."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GatherOp, rewriter: PatternRewriter, /) -> None:
        axis, indices = op.axis.value.data, list(op.indices.get_values())
        distances = {b - a for a, b in pairwise(indices)} or {1}
        if not indices or len(distances) > 1 or 0 in distances:
            return
        step = distances.pop()
        starts, sizes = [0] * len(shape_of(op.input)), list(shape_of(op.input))
        starts[axis], sizes[axis] = indices[0], len(indices)
        steps = [step if d == axis else 1 for d in range(len(sizes))]
        name = op.result_name.data
        made = SliceOp(name, op.input, starts=starts, sizes=sizes, steps=steps)
        replace_merged(rewriter, op, made)
