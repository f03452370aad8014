"""Products of integers whose sums are the result: MatMulInteger, ConvInteger."""

from __future__ import annotations

from math import prod

import numpy as np

from ..function import (
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    check_storage,
    taken,
)

_BYTES = ("i8", "u8")
_ADVICE = (
    "the matrix unit computes products with constant weights in an f32 network if their sums stay below 2^24, and "
    "those of models that are quantized statically"
)


def _infer_matmul(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    a, b, a_point, b_point = taken(operands, "a", "b", "a_zero_point", "b_zero_point")
    for name, value in (("a", a), ("b", b)):
        check_storage(name, value, _BYTES)
    check_storage("a_zero_point", a_point, (a.storage,))
    check_storage("b_zero_point", b_point, (b.storage,))
    left, right = a.shape, b.shape
    if not left or not right:
        raise FunctionError("a and b must have at least one axis")
    if left[-1] != right[-2 if len(right) > 1 else 0]:
        raise FunctionError(f"{list(left)} and {list(right)} do not fit a matrix product")
    try:
        outer = np.broadcast_shapes(left[:-2], right[:-2])
    except ValueError:
        raise FunctionError(f"{list(left)} and {list(right)} do not broadcast") from None
    shape = (*outer, *left[-2:-1], *(right[-1:] if len(right) > 1 else ()))
    for name, point, axis in (("a_zero_point", a_point, -2), ("b_zero_point", b_point, -1)):
        value = a if axis == -2 else b
        if prod(point.shape) == 1:
            continue
        rows = value.shape[axis] if len(value.shape) > 1 else 1
        if point.shape not in ((rows,), (*value.shape[:-2], *_along(rows, axis))):
            raise FunctionError(f"{name} of shape {list(point.shape)} does not fit {value}")
    return [TensorKind(shape, "i32")]


def _along(rows: int, axis: int) -> tuple[int, int]:
    """Return the last two sizes of zero points that differ along an axis, -2 or -1, of a matrix."""
    return (rows, 1) if axis == -2 else (1, rows)


def _matmul(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Sum the products exactly: in f64 every sum of products of 9 bits is exact, and i32 wraps."""
    a, b, a_point, b_point = arrays
    if a_point.ndim == 1 and a_point.size > 1:
        a_point = a_point[:, None]
    left = a.astype(np.float64) - _scalar(a_point)
    right = b.astype(np.float64) - _scalar(b_point)
    return [np.asarray(left @ right).astype(np.int64).astype(np.int32)]


def _scalar(point: np.ndarray) -> np.ndarray:
    """Return zero points in f64; a single one without axes, so that it keeps the rank of what it is taken from."""
    return (point.reshape(()) if point.size == 1 else point).astype(np.float64)


def _infer_conv(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    x, w, x_point, w_point = taken(operands, "x", "w", "x_zero_point", "w_zero_point")
    check_storage("x", x, _BYTES)
    check_storage("w", w, _BYTES)
    check_storage("x_zero_point", x_point, (x.storage,))
    check_storage("w_zero_point", w_point, (w.storage,))
    rank, groups = len(x.shape) - 2, attributes["groups"]
    strides, dilations, pads = (attributes[name] for name in ("strides", "dilations", "pads"))
    if rank < 1 or len(w.shape) != rank + 2:
        raise FunctionError(f"{x} and {w} do not fit a convolution")
    if (len(strides), len(dilations), len(pads)) != (rank, rank, 2 * rank):
        raise FunctionError(f"strides, dilations and pads must be for {rank} spatial axes")
    if min(*strides, *dilations, groups) < 1 or min(pads) < 0:
        raise FunctionError("strides, dilations and groups must be at least 1, pads at least 0")
    if w.shape[1] * groups != x.shape[1] or w.shape[0] % groups:
        raise FunctionError(f"weights {w} in {groups} groups do not fit {x}")
    if prod(x_point.shape) != 1 or prod(w_point.shape) not in (1, w.shape[0]):
        raise FunctionError("x_zero_point has one element, w_zero_point one or one per channel")
    sizes = [
        (n + pads[i] + pads[rank + i] - (k - 1) * dilations[i] - 1) // strides[i] + 1
        for i, (n, k) in enumerate(zip(x.shape[2:], w.shape[2:], strict=True))
    ]
    if min(sizes) < 1:
        raise FunctionError(f"the kernel of {w} does not fit {x}")
    return [TensorKind((x.shape[0], w.shape[0], *sizes), "i32")]


def _conv(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Sum the products of each tap, exactly; what is padded is the zero point."""
    x, w, x_point, w_point = arrays
    rank, groups = x.ndim - 2, attributes["groups"]
    pads, strides, dilations = (attributes[name] for name in ("pads", "strides", "dilations"))
    image = x.astype(np.float64) - x_point.astype(np.float64).reshape(())
    around = [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:], strict=True)]
    image = np.pad(image, around)
    points = w_point.astype(np.float64).reshape(-1, *(1,) * (w.ndim - 1))
    weights = w.astype(np.float64) - points
    n, o = x.shape[0], w.shape[0]
    extents = [(k - 1) * d + 1 for k, d in zip(w.shape[2:], dilations, strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(image, extents, tuple(range(2, 2 + rank)))
    steps = [slice(None), slice(None), *(slice(None, None, s) for s in strides)]
    windows = windows[(*steps, *(slice(None, None, d) for d in dilations))]
    sizes = windows.shape[2 : 2 + rank]
    grouped = windows.reshape(n, groups, -1, *windows.shape[2:])
    kernels = weights.reshape(groups, o // groups, *w.shape[1:])
    total = np.empty((n, groups, o // groups, *sizes))
    taps = tuple(range(2 + rank, 2 + 2 * rank))
    for group in range(groups):
        part = np.tensordot(
            grouped[:, group], kernels[group], axes=((1, *taps), tuple(range(1, kernels.ndim - 1)))
        )
        total[:, group] = np.moveaxis(part, -1, 1)
    return [total.reshape(n, o, *sizes).astype(np.int64).astype(np.int32)]


FUNCTIONS = (
    Function(
        "matmul_integer",
        "(a - a_zero_point) · (b - b_zero_point) as i32, shapes as in NumPy's matmul. Zero points have one element, or "
        "one for each row of a and column of b.",
        _infer_matmul,
        _matmul,
        example=(
            (
                TensorKind((2, 3), "u8"),
                TensorKind((3, 4), "i8"),
                TensorKind((), "u8"),
                TensorKind((), "i8"),
            ),
            {},
        ),
        advice=_ADVICE,
    ),
    Function(
        "conv_integer",
        "The convolution of x - x_zero_point with w - w_zero_point as i32; pads are all begins, then all ends.",
        _infer_conv,
        _conv,
        {
            "strides": Parameter(int, is_list=True),
            "dilations": Parameter(int, is_list=True),
            "pads": Parameter(int, is_list=True),
            "groups": Parameter(int, 1),
        },
        example=(
            (
                TensorKind((1, 2, 4), "u8"),
                TensorKind((3, 2, 2), "i8"),
                TensorKind((), "u8"),
                TensorKind((), "i8"),
            ),
            {"strides": (1,), "dilations": (1,), "pads": (0, 0)},
        ),
        advice=_ADVICE,
    ),
)
"""The functions of this family."""
