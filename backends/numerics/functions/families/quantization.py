"""Quantization by scales that are computed at run time: QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...quantization import (
    dequantize_linear,
    dynamic_quantize_linear,
    quantize_linear,
    spread_blocks,
)
from ...rounding_up import ceil_div
from ...storage import EXPONENTS, FLOAT_NAMES, SMALL_FLOAT_NAMES, SMALL_NAMES, name_of
from ..function import (
    FLOATS,
    INTEGERS,
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    axis_of,
    check_storage,
    taken,
)
from .conversion import to_small_float, widened

_QUANTIZED = tuple(
    name for name in (*INTEGERS, *SMALL_NAMES) if name not in ("i64", "u64", EXPONENTS)
)
"""The storage types of quantized tensors."""
_SCALES = (*FLOATS, EXPONENTS)
"""The storage types of scales."""
_SINGLE = ((), (1,))
"""The shapes of one number for the whole tensor."""
_PARAMETERS = {"axis": Parameter(int, 0), "block": Parameter(int, 0)}
"""Along which axis scales and zero points lie, and how many elements share one of them; 0 if all of an index do."""


def _check_parameters(x: TensorKind, parameters: Sequence[TensorKind], given: Attributes) -> None:
    """Raise FunctionError unless scales and zero points fit the tensor, and lie alike."""
    scale, zero_point = parameters
    block = given["block"]
    if block < 0:
        raise FunctionError(f"block must be at least 0, got {block}")
    rank = len(x.shape)
    if block:
        axis = axis_of(given, rank)
        wanted = tuple(ceil_div(n, block) if i == axis else n for i, n in enumerate(x.shape))
    elif scale.shape in _SINGLE and zero_point.shape in _SINGLE:
        return
    else:
        wanted = (x.shape[axis_of(given, rank)],)
    if scale.shape != wanted:
        raise FunctionError(
            f"scale must have shape {list(wanted)} or one element, got {list(scale.shape)}"
        )
    if zero_point.shape != wanted:
        raise FunctionError(
            f"scale {list(scale.shape)} and zero point {list(zero_point.shape)} differ in shape"
        )


def _spread(arrays: Arrays, given: Attributes) -> list[np.ndarray]:
    """Return scale and zero point so that they broadcast to the first operand."""
    x, *parameters = arrays
    axis = given["axis"] % max(x.ndim, 1)
    return [spread_blocks(each, x.shape, axis, given["block"]) for each in parameters]


def _infer_quantize(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    x, scale, zero_point = taken(operands, "x", "scale", "zero_point")
    check_storage("x", x, FLOATS)
    check_storage("scale", scale, _SCALES)
    check_storage("zero_point", zero_point, _QUANTIZED)
    _check_parameters(x, (scale, zero_point), attributes)
    return [TensorKind(x.shape, zero_point.storage)]


def _quantize(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    scale, zero_point = _spread(arrays, attributes)
    storage = name_of(arrays[2].dtype)
    if storage in SMALL_FLOAT_NAMES:
        return [_to_small_floats(arrays[0], scale, zero_point, storage, attributes["saturate"])]
    return [quantize_linear(arrays[0], scale, zero_point, storage)]


def _to_small_floats(
    x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray, storage: str, saturate: bool
) -> np.ndarray:
    """Return x / scale + zero_point, computed in f32 and rounded once to small floats, as a cast does."""
    with np.errstate(all="ignore"):
        quotient = x.astype(np.float32, copy=False) / scale.astype(np.float32, copy=False)
        return to_small_float(quotient + zero_point.astype(np.float32), storage, saturate)


def _infer_dequantize(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    q, scale, zero_point = taken(operands, "q", "scale", "zero_point")
    check_storage("q", q, _QUANTIZED)
    check_storage("scale", scale, _SCALES)
    check_storage("zero_point", zero_point, (q.storage,))
    _check_parameters(q, (scale, zero_point), attributes)
    return [TensorKind(q.shape, attributes["to"])]


def _dequantize(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    scale, zero_point = _spread(arrays, attributes)
    return [dequantize_linear(widened(arrays[0]), scale, widened(zero_point), attributes["to"])]


def _infer_dynamic(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    check_storage("x", x, ("f32",))
    return [TensorKind(x.shape, "u8"), TensorKind((), "f32"), TensorKind((), "u8")]


def _dynamic(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    (x,) = arrays
    return list(dynamic_quantize_linear(x))


_STATIC = "give scale and zero point as constants, as static quantization does"

FUNCTIONS = (
    Function(
        "quantize_linear",
        "saturate(round_half_even(x / scale) + zero_point) in the storage type of zero_point; in small floats "
        "x / scale + zero_point, rounded and saturated as by cast. Scale and zero_point have one element, or one for "
        "each index of `axis`, or for each `block` elements along it.",
        _infer_quantize,
        _quantize,
        {**_PARAMETERS, "saturate": Parameter(bool, True)},
        compares=True,
        example=(
            (TensorKind((4,), "f32"), TensorKind((), "f32"), TensorKind((), "i8")),
            {},
        ),
        advice=_STATIC,
    ),
    Function(
        "dequantize_linear",
        "(q - zero_point) · scale in the float type `to`; scale and zero_point as for quantize_linear.",
        _infer_dequantize,
        _dequantize,
        {**_PARAMETERS, "to": Parameter(str, None, FLOAT_NAMES)},
        example=(
            (TensorKind((4,), "i8"), TensorKind((), "f32"), TensorKind((), "i8")),
            {"to": "f32"},
        ),
        advice=_STATIC,
    ),
    Function(
        "dynamic_quantize_linear",
        "x in u8 by the range of its elements and 0; its scale; its zero point.",
        _infer_dynamic,
        _dynamic,
        compares=True,
        example=((TensorKind((4,), "f32"),), {}),
        advice="quantize the model statically, so that its scales are constants",
    ),
)
"""The functions of this family."""
