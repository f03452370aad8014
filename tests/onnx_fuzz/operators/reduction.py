"""Ops along axes: reductions, places of extremes, running sums, and what normalizes to sums of one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tests.onnx_fuzz.draw import Draw

REDUCTIONS = ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"]
ROUNDED = ("ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMean")
"""Reductions of which the standard does not say what they are of integers, since they lie between integers."""


def reduce(kind: str, draw: Draw) -> None:
    """Over some axes, all or none, given as an attribute or an operand by the opset."""
    is_float = kind in ROUNDED or draw.chance(0.8)
    dtype = draw.precision.dtype if is_float else draw.choice((np.int32, np.int64))
    operand = draw.operand(dtype)
    axes = draw.axes(operand) or None
    keepdims = draw.choice((None, 0, 1))
    if draw.opset < 18 and kind != "ReduceSum":
        draw.node(kind, [operand], axes=axes, keepdims=keepdims)
        return
    inputs = [operand] if axes is None else [operand, draw.constant(axes)]
    draw.node(kind, inputs, keepdims=keepdims, noop_with_empty_axes=draw.choice((None, 0, 1)))


def extreme(kind: str, draw: Draw) -> None:
    """The place of the first or last extreme along an axis."""
    operand = draw.operand(draw.choice((None, None, np.int32)), (1, 5))
    draw.node(
        kind,
        [operand],
        axis=draw.axis(operand),
        keepdims=draw.choice((None, 0, 1)),
        select_last_index=draw.choice((None, 0, 1)),
    )


def top_k(draw: Draw) -> None:
    """The largest or smallest elements along an axis, and their places."""
    operand = draw.operand(None, (1, 5))
    axis = draw.axis(operand)
    k = draw.integer(1, draw.arrays[operand].shape[axis])
    draw.node(
        "TopK",
        [operand, draw.constant([k])],
        outputs=2,
        axis=axis,
        largest=draw.choice((None, 0, 1)),
    )


def running(kind: str, draw: Draw) -> None:
    """Along an axis, from either end, with or without the element itself."""
    operand = draw.operand(draw.choice((None, np.int32, np.int64)), (1, 5))
    draw.node(
        kind,
        [operand, draw.constant(draw.axis(operand), np.int64)],
        exclusive=draw.choice((None, 0, 1)),
        reverse=draw.choice((None, 0, 1)),
    )


def along_axis(kind: str, draw: Draw) -> None:
    """Normalizes along one axis."""
    operand = draw.operand(None, (1, 5))
    draw.node(kind, [operand], axis=draw.axis(operand) if draw.chance(0.8) else None)


def lp_normalization(draw: Draw) -> None:
    """By the sum of magnitudes or of squares."""
    operand = draw.operand(None, (1, 5))
    draw.node("LpNormalization", [operand], axis=draw.axis(operand), p=draw.choice((None, 1, 2)))


DRAWS: dict[str, Callable[[Draw], None]] = {
    **{f"Reduce{kind}": partial(reduce, f"Reduce{kind}") for kind in REDUCTIONS},
    **{kind: partial(extreme, kind) for kind in ("ArgMax", "ArgMin")},
    **{kind: partial(along_axis, kind) for kind in ("Softmax", "LogSoftmax", "Hardmax")},
    "CumSum": partial(running, "CumSum"),
    "LpNormalization": lp_normalization,
    "TopK": top_k,
}
