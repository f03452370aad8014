"""The pools of `top`."""

from __future__ import annotations

from math import gcd, prod
from typing import NamedTuple

import numpy as np
from xdsl.dialects.builtin import UnitAttr
from xdsl.interfaces import HasCanonicalizationPatternsInterface
from xdsl.ir import Operation, SSAValue
from xdsl.irdl import irdl_op_definition, traits_def
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from ...backends.numerics.rounding_up import ceil_div
from ...backends.numerics.sample_axis import channel_first, channel_last
from ...backends.numerics.windows import pooling
from ..ir.attribute import flag, ints
from ..ir.field import prop
from ..network.pooling import PoolBase
from ..network.rewriting import clone_with
from ..network.tensor_op import Arrays
from ..network.traits import CanStayFloat, RoundsResult
from ..quant.element_type import shape_of
from .movement import SliceOp
from .top_op import TopOp


class PoolOp(PoolBase, TopOp, HasCanonicalizationPatternsInterface):
    """Base of 2-D pooling; input [N,C,H,W]; pads [top,left,bottom,right]."""

    traits = traits_def(CanStayFloat(only_before_poles=lambda op: True))

    def unchanged_operand(self) -> SSAValue | None:
        one_pixel = prod(self.kernel.get_values()) == 1 and prod(self.strides.get_values()) == 1
        return self.input if one_pixel and not any(self.pads.get_values()) else None

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        return (PoolOfSlice(),)


@irdl_op_definition
class MaxPoolOp(PoolOp):
    """Largest element of each window; padding never wins.

    %y = top.max_pool "pool1" %x kernel = [2, 2] strides = [2, 2] :
        (tensor<1x8x8x8xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.max_pool"

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return channel_first(pooling.max_pool2d(channel_last(operands[0]), **self.window))


@irdl_op_definition
class AvgPoolOp(PoolOp):
    """Mean of each window; with count_include_pad, padding counts as zeros.

    %avg = top.avg_pool "avg" %max count_include_pad kernel = [2, 2] pads = [1, 1, 0, 0] :
        (tensor<1x8x2x2xf32>) -> tensor<1x8x2x2xf32>
    """

    name = "top.avg_pool"
    traits = traits_def(RoundsResult())
    count_include_pad: UnitAttr | None = prop(converter=flag, default=False)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        image, include = channel_last(operands[0]), self.count_include_pad is not None
        mean = pooling.average_pool2d_f32(image, **self.window, count_include_pad=include)
        return channel_first(self.rounded(mean))


_WIDE_PIXELS = 1024
"""A window that spans so many pixels may be too wide for a core's memory. A slice for smaller ones would cost about as
many cycles as it saves."""


class PoolOfSlice(RewritePattern):
    """A pool of wide windows that reads only every n-th row or column, as strides and dilations have the common divisor
    n ⇒ the same pool of a slice, closer together: a window then spans n times fewer rows or columns.
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, PoolOp) or op.ceil_mode is not None:
            return
        if _span(op, 0) * _span(op, 1) < _WIDE_PIXELS:
            return
        axes = [_thinned(op, axis) for axis in range(2)]
        if all(each.step == 1 for each in axes) or any(each.size < 1 for each in axes):
            return
        batch, channels, *_ = shape_of(op.input)
        part = SliceOp(
            f"{op.result_name.data}_read",
            op.input,
            starts=[0, 0, *(each.start for each in axes)],
            sizes=[batch, channels, *(each.size for each in axes)],
            steps=[1, 1, *(each.step for each in axes)],
        )
        made = clone_with(
            op,
            {
                "strides": ints([each.stride for each in axes]),
                "dilations": ints([each.dilation for each in axes]),
                "pads": ints([*(each.before for each in axes), *(each.after for each in axes)]),
            },
        )
        made.operands[0] = part.output
        rewriter.replace(op, [part, made])


class _Thinned(NamedTuple):
    """The rows or columns start + i · step, 0 <= i < size, that a pool reads, and how its windows slide over them."""

    start: int
    size: int
    step: int
    stride: int
    dilation: int
    before: int
    after: int


def _span(op: PoolOp, axis: int) -> int:
    """Return how many rows (axis 0) or columns (axis 1) lie between the ends of a window, both included."""
    return (op.window["kernel"][axis] - 1) * op.window["dilations"][axis] + 1


def _thinned(op: PoolOp, axis: int) -> _Thinned:
    """Return which rows (axis 0) or columns (axis 1) a pool reads; all with step 1 if their distance is 1."""
    window, size = op.window, shape_of(op.input)[2 + axis]
    stride, dilation = window["strides"][axis], window["dilations"][axis]
    before, after = window["pads"][axis], window["pads"][2 + axis]
    kernel = window["kernel"][axis]
    step = gcd(stride, dilation) if kernel > 1 else 1
    if step == 1:
        return _Thinned(0, size, 1, stride, dilation, before, after)
    stride, dilation, pad = stride // step, dilation // step, ceil_div(before, step)
    start = pad * step - before
    passed = (window["output"][axis] - 1) * stride + (kernel - 1) * dilation + 1 - pad
    there = min(passed, ceil_div(size - start, step))
    return _Thinned(start, there, step, stride, dilation, pad, passed - there)
