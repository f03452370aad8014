"""What each instruction computes, on whole tiles in packed, padded buffers.

A function's keyword arguments are its instruction's fields (backends/instructions/instruction_set.py); arrays stand
where the instruction has addresses. An array is given in the shape its docstring names, or flat
([..., elements]); any axes before that are samples. Weights, tables and taps are shared by all
samples or, with leading axes, each sample's own. Results are new arrays, and every element up to
the pitch is defined: 0 in accumulators and floats, the output's zero point in integers. ValueError
where an array does not have the elements that the fields ask for.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import elementwise, pooling, reduction, resampling
from ..epilogue import epilogue_float, epilogue_int
from ..fixed_point import Residual
from ..host import host_call
from ..normalization import local_response_norm as float_local_response_norm
from ..normalization import normalize as float_normalize
from ..quantization import dequantize, quantize, requantize
from ..softmax import softmax as float_softmax
from ..storage import dtype_of, integer_range, is_float, round_to
from .packing import (
    pack_conv_weights,
    pack_depthwise_weights,
    pack_epilogue_table,
    pack_matmul_weights,
)
from .pointwise import binary, lookup, select, unary
from .product import conv2d, depthwise_conv2d, matmul
from .tile_buffer import integer_clamp, padded, per_sample, shaped, strided

__all__ = [
    "binary",
    "conv2d",
    "convert",
    "depthwise_conv2d",
    "epilogue",
    "fill",
    "host_call",
    "local_response_norm",
    "lookup",
    "matmul",
    "normalize",
    "pack_conv_weights",
    "pack_depthwise_weights",
    "pack_epilogue_table",
    "pack_matmul_weights",
    "pool",
    "reduce",
    "resample",
    "select",
    "softmax",
    "unary",
]

_INFINITE = float("inf")


def function_of(numerics: str | Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """The function that an instruction names; one of a plugin brings its own."""
    return globals()[numerics] if isinstance(numerics, str) else numerics


def fill(*, count: int, type: str, value: float) -> np.ndarray:
    """[count] elements of `value`, saturated (integers) or rounded (floats) to storage `type`."""
    dtype = dtype_of(type)
    if is_float(type):
        return np.full(count, round_to(np.asarray(value, np.float64), type), dtype)
    if type == "bool":
        return np.full(count, value != 0)
    low, high = integer_range(type)
    return np.full(count, min(max(round(value), low), high), dtype)


def epilogue(
    acc: np.ndarray,
    table: np.ndarray,
    residual: np.ndarray | None = None,
    *,
    acc_type: str,
    type: str,
    rows: int,
    channels: int,
    acc_pitch: int,
    out_pitch: int,
    table_pitch: int,
    residual_pitch: int = 0,
    residual_zero_point: int = 0,
    zero_point: int = 0,
    clamp_low: float = -_INFINITE,
    clamp_high: float = _INFINITE,
) -> np.ndarray:
    """out[rows, out_pitch] from acc[rows, acc_pitch]: `epilogue_int` for integer types,
    `epilogue_float` for floats.

    `table` holds rows of `table_pitch` parameters: int32 bias (i64: low words, high words),
    multiplier, shift and, with a `residual` [rows, residual_pitch], its multiplier and shift;
    floats: one f32 row, the bias (see `pack_epilogue_table`).
    """
    integer = not is_float(acc_type)
    if integer == is_float(type):
        raise ValueError(f"an accumulator of {acc_type} cannot be stored as {type}")
    words = 1 if not integer else (3 if residual is None else 5) + (acc_type == "i64")
    pitches = {acc_pitch, out_pitch, table_pitch}
    if residual is not None:
        pitches.add(residual_pitch)
    # With equal pitches whole rows are computed, which are contiguous; the padding lanes are
    # written over below.
    width = acc_pitch if len(pitches) == 1 else channels
    total = shaped(acc, (rows, acc_pitch), "acc", acc_type)[..., :width]
    parameters = shaped(table, (words, table_pitch), "table", "i32" if integer else "f32")
    added = None
    if residual is not None:
        added = shaped(residual, (rows, residual_pitch), "residual", type)[..., :width]
        total, added = np.broadcast_arrays(total, added)

    def one(
        parameters: np.ndarray, total: np.ndarray, added: np.ndarray | None = None
    ) -> np.ndarray:
        values = parameters[:, :width]
        if not integer:
            return epilogue_float(total, values[0], type, (clamp_low, clamp_high), added)
        bias, scales = _table_bias(values, acc_type)
        term: Residual | None = None
        if added is not None:
            term = (added, residual_zero_point, scales[2], scales[3])
        clamp = integer_clamp(type, clamp_low, clamp_high)
        return epilogue_int(total, bias, scales[0], scales[1], zero_point, type, clamp, term)

    operands = [(total, 2)] if added is None else [(total, 2), (added, 2)]
    result = per_sample(one, parameters, 2, *operands)
    return padded(result[..., :channels], out_pitch, zero_point if integer else 0, result)


def _table_bias(values: np.ndarray, acc_type: str) -> tuple[np.ndarray, np.ndarray]:
    """The bias (int64) and the remaining rows (int64) of an integer epilogue's table."""
    if acc_type == "i64":
        low = np.ascontiguousarray(values[0]).view(np.uint32).astype(np.int64)
        return (values[1].astype(np.int64) << 32) | low, values[2:].astype(np.int64)
    return values[0].astype(np.int64), values[1:].astype(np.int64)


def convert(
    x: np.ndarray,
    *,
    in_type: str,
    out_type: str,
    rows: int,
    columns: int,
    in_pitch: int,
    out_pitch: int,
    scale: float = 1.0,
    multiplier: int = 0,
    shift: int = 0,
    zero_point_in: int = 0,
    zero_point_out: int = 0,
    clamp_low: float = -_INFINITE,
    clamp_high: float = _INFINITE,
) -> np.ndarray:
    """out[rows, out_pitch] in `out_type` from x[rows, in_pitch] in `in_type`, clamped in storage
    values.

    Integer to integer: requantize(x − zero_point_in, multiplier, shift) + zero_point_out. Float to
    integer: quantize with `scale`. Integer to float: (x − zero_point_in) · scale. Float to float:
    one rounding.
    """
    values = shaped(x, (rows, in_pitch), "x", in_type)[..., :columns]

    def converted(values: np.ndarray) -> np.ndarray:
        if is_float(out_type):
            real = values
            if not is_float(in_type):
                real = dequantize(values, scale, zero_point_in)
            elif real.dtype.itemsize < 4:
                real = real.astype(np.float32)
            return elementwise.store_float(real, out_type, (clamp_low, clamp_high))
        clamp = integer_clamp(out_type, clamp_low, clamp_high)
        if is_float(in_type):
            stored = quantize(values, scale, zero_point_out, out_type)
            return np.clip(stored, *clamp) if clamp is not None else stored
        centerd = values.astype(np.int64) - zero_point_in
        return requantize(centerd, multiplier, shift, zero_point_out, out_type, clamp)

    fill_value = 0 if is_float(out_type) else zero_point_out
    if in_type in ("i8", "u8") and values.size > 1024:
        # Eight bits have 256 values: convert those, and look the elements up.
        every = np.arange(256, dtype=np.uint8)
        found = np.take(converted(every.view(values.dtype)), values.view(np.uint8))
        return padded(found, out_pitch, fill_value)
    return padded(converted(values), out_pitch, fill_value)


def pool(
    x: np.ndarray,
    *,
    kind: str,
    type: str,
    count_include_pad: int = 0,
    batch: int = 1,
    in_height: int,
    in_width: int,
    out_height: int,
    out_width: int,
    pitch: int,
    kernel_height: int = 1,
    kernel_width: int = 1,
    stride_height: int = 1,
    stride_width: int = 1,
    dilation_height: int = 1,
    dilation_width: int = 1,
    pad_top: int = 0,
    pad_left: int = 0,
    pad_bottom: int = 0,
    pad_right: int = 0,
    multiplier: int = 0,
    shift: int = 0,
    zero_point_in: int = 0,
    zero_point_out: int = 0,
    clamp_low: float = -_INFINITE,
    clamp_high: float = _INFINITE,
) -> np.ndarray:
    """out[batch, out_height, out_width, pitch] of x[batch, in_height, in_width, pitch]; `kind` is
    max or average.

    The pads are the declared ones: with `count_include_pad` an average counts them, and nothing
    beyond. A maximum keeps its input's quantization. Padding lanes are pooled like channels.
    """
    images = shaped(x, (batch, in_height, in_width, pitch), "x", type)
    window: dict[str, tuple[int, int]] = {
        "kernel": (kernel_height, kernel_width),
        "strides": (stride_height, stride_width),
        "dilations": (dilation_height, dilation_width),
        "output": (out_height, out_width),
    }
    pads = (pad_top, pad_left, pad_bottom, pad_right)
    if kind == "max":
        best = pooling.max_pool2d(images, pads=pads, **window)
        unbounded = clamp_low == -_INFINITE and clamp_high == _INFINITE
        return best if unbounded else elementwise.clamp(best, clamp_low, clamp_high)
    if kind != "average":
        raise ValueError(f"unknown pooling '{kind}' (known: max, average)")
    include = bool(count_include_pad)
    if is_float(type):
        mean = pooling.average_pool2d_f32(images, pads=pads, count_include_pad=include, **window)
        return elementwise.store_float(mean, type, (clamp_low, clamp_high))
    return pooling.average_pool2d_int(
        images,
        pads=pads,
        count_include_pad=include,
        zero_point_in=zero_point_in,
        multiplier=multiplier,
        shift=shift,
        zero_point_out=zero_point_out,
        storage=type,
        clamp=integer_clamp(type, clamp_low, clamp_high),
        **window,
    )


def reduce(
    x: np.ndarray,
    *,
    kind: str,
    type: str,
    outer: int,
    length: int,
    inner: int = 1,
    outer_stride: int,
    length_stride: int,
    out_pitch: int,
    multiplier: int = 0,
    shift: int = 0,
    zero_point_in: int = 0,
    zero_point_out: int = 0,
    clamp_low: float = -_INFINITE,
    clamp_high: float = _INFINITE,
) -> np.ndarray:
    """out[outer, out_pitch]: the reduction `kind` over `length` of x[outer, length, inner], x flat
    [..., elements] with element strides.
    """
    values = strided(x, (outer, length, inner), (outer_stride, length_stride, 1), "x", type)
    if is_float(type):
        reduced = elementwise.store_float(
            reduction.reduce_f32(kind, values, (-2,)), type, (clamp_low, clamp_high)
        )
        return padded(reduced, out_pitch, 0)
    reduced = reduction.reduce_int(
        kind,
        values,
        (-2,),
        zero_point_in=zero_point_in,
        multiplier=multiplier,
        shift=shift,
        zero_point_out=zero_point_out,
        storage=type,
        clamp=integer_clamp(type, clamp_low, clamp_high),
    )
    return padded(reduced, out_pitch, zero_point_out)


def resample(
    x: np.ndarray,
    index: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    type: str,
    outer: int,
    in_length: int,
    out_length: int,
    inner: int,
    taps: int = 1,
    gather: int = 0,
) -> np.ndarray:
    """out[outer, out_length, inner] of x[outer, in_length, inner] by index (i32) and weight (f32)
    [out_length, taps].

    With `gather` there is one tap, of weight 1, and `weight` is not read.
    """
    values = shaped(x, (outer, in_length, inner), "x", type)
    if gather and taps != 1:
        raise ValueError(f"a gather has 1 tap, not {taps}")
    shape = (out_length, taps)
    indices = shaped(index, shape, "index", "i32")
    if gather or weight is None:
        if not gather:
            raise ValueError("a resampling that is no gather needs weights")
        factors = np.ones(shape, np.float32)
    else:
        factors = shaped(weight, shape, "weight", "f32")
    if indices.ndim == 2 and factors.ndim == 2:
        return resampling.resample(values, -2, indices, factors)
    lead = np.broadcast_shapes(values.shape[:-3], indices.shape[:-2], factors.shape[:-2])
    out = np.empty((*lead, outer, out_length, inner), values.dtype)
    values = np.broadcast_to(values, (*lead, *values.shape[-3:]))
    indices = np.broadcast_to(indices, (*lead, *shape))
    factors = np.broadcast_to(factors, (*lead, *shape))
    for at in np.ndindex(lead):
        out[at] = resampling.resample(values[at], -2, indices[at], factors[at])
    return out


def softmax(
    x: np.ndarray,
    *,
    type: str,
    log: int = 0,
    rows: int,
    columns: int,
    in_pitch: int,
    out_pitch: int,
) -> np.ndarray:
    """out[rows, out_pitch]: the softmax (with `log` its logarithm), in f32, of each row of `columns`
    elements of x[rows, in_pitch] (a float type).
    """
    values = shaped(x, (rows, in_pitch), "x", type)[..., :columns]
    return padded(round_to(float_softmax(values, -1, log=bool(log)), type), out_pitch, 0)


def normalize(
    x: np.ndarray,
    parameters: np.ndarray | None = None,
    *,
    kind: str,
    type: str,
    rows: int,
    length: int,
    inner: int = 1,
    pitch: int,
    epsilon: float = 0.0,
    parameter_rows: int = 1,
    parameter_length: int = 1,
    parameter_inner: int = 1,
) -> np.ndarray:
    """out[rows, pitch]: x[rows, pitch], of which length * inner elements count, normalized in f32
    over `length`.

    `parameters`, f32 [2, parameter_rows, parameter_length, parameter_inner]: scales and offsets of
    the elements (r, l, i), at (r % parameter_rows, l // (length // parameter_length), i or 0).
    """
    values = shaped(x, (rows, pitch), "x", type)[..., : length * inner]
    values = values.reshape(*values.shape[:-1], length, inner)
    scale = bias = None
    if parameters is not None:
        shape = (2, parameter_rows, parameter_length, parameter_inner)
        table = shaped(parameters, shape, "parameters", "f32")
        if parameter_rows > 1:
            table = table[..., np.arange(rows) % parameter_rows, :, :]
        if parameter_length > 1:
            table = table[..., np.arange(length) // (length // parameter_length), :]
        scale, bias = table[..., 0, :, :, :], table[..., 1, :, :, :]
    result = float_normalize(kind, values, (-2,), epsilon, scale, bias)
    result = round_to(result, type)
    return padded(result.reshape(*result.shape[:-2], length * inner), pitch, 0)


def local_response_norm(
    x: np.ndarray,
    *,
    type: str,
    rows: int,
    columns: int,
    in_pitch: int,
    out_pitch: int,
    size: int,
    alpha: float,
    beta: float,
    offset: float,
) -> np.ndarray:
    """out[rows, out_pitch]: the local response normalization, in f32, along each row of `columns`
    elements of x[rows, in_pitch] (a float type).
    """
    values = shaped(x, (rows, in_pitch), "x", type)[..., :columns]
    result = float_local_response_norm(values, -1, size=size, alpha=alpha, beta=beta, bias=offset)
    return padded(round_to(result, type), out_pitch, 0)
