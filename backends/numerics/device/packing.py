"""Packs weights and parameters into the layouts that the device's instructions read, and unpacks them."""

from __future__ import annotations

import numpy as np

from ..fixed_point import Integers
from ..rounding_up import ceil_div
from ..storage import bytes_of, is_float


def pack_conv_weights(w: np.ndarray, block: int) -> np.ndarray:
    """Pack w[kh, kw, c / groups, o] as [ceil(o / block), kh * kw * c / groups, block], filled with zeros."""
    kh, kw, depth, outputs = w.shape
    return pack_matmul_weights(w.reshape(kh * kw * depth, outputs), block)


def unpack_conv_weights(
    packed: np.ndarray, kernel: tuple[int, int], group_channels: int, outputs: int
) -> np.ndarray:
    """Undo `pack_conv_weights`: return [kh, kw, c / groups, o]."""
    columns = unpack_matmul_weights(packed, outputs)
    return columns.reshape(kernel[0], kernel[1], group_channels, outputs)


def pack_matmul_weights(w: np.ndarray, block: int) -> np.ndarray:
    """Pack w[..., k, n] as [..., ceil(n / block), k, block], filled with zeros. Raises ValueError if `block` is
    below 1.
    """
    if block < 1:
        raise ValueError(f"a weight block has at least 1 column, not {block}")
    *lead, depth, columns = w.shape
    blocks = ceil_div(columns, block)
    padded = np.zeros((*lead, depth, blocks * block), w.dtype)
    padded[..., :columns] = w
    split = padded.reshape(*lead, depth, blocks, block)
    return np.ascontiguousarray(np.swapaxes(split, -3, -2))


def unpack_matmul_weights(packed: np.ndarray, columns: int) -> np.ndarray:
    """Undo `pack_matmul_weights`: return [..., k, columns]."""
    *lead, blocks, depth, block = packed.shape
    return np.swapaxes(packed, -3, -2).reshape(*lead, depth, blocks * block)[..., :columns]


def pack_depthwise_weights(w: np.ndarray, pitch: int) -> np.ndarray:
    """Pack w[kh, kw, 1, o] as [kh * kw, pitch], filled with zeros. Raises ValueError if o > pitch."""
    kh, kw, one, outputs = w.shape
    if one != 1 or outputs > pitch:
        raise ValueError(f"weights {w.shape} do not fit depthwise rows of {pitch} elements")
    packed = np.zeros((kh * kw, pitch), w.dtype)
    packed[:, :outputs] = w.reshape(kh * kw, outputs)
    return packed


def pack_epilogue_table(
    bias: np.ndarray,
    multiplier: Integers,
    shift: Integers,
    pitch: int,
    *,
    acc_type: str,
    residual_multiplier: Integers | None = None,
    residual_shift: Integers | None = None,
) -> np.ndarray:
    """Return the int32 table of an integer epilogue: rows bias (i64: low word, high word), multiplier, shift, and the
    residual's two.

    `bias` is [c]; the multipliers and shifts are [c] or scalars; rows are filled with zeros up to `pitch` elements.
    Raises ValueError if the bias does not fit its words, or if only one of the residual's two parameters is given.
    """
    bias = np.asarray(bias, dtype=np.int64)
    if acc_type == "i64":
        rows: list[Integers] = [(bias & 0xFFFFFFFF).astype(np.uint32).view(np.int32), bias >> 32]
    elif bias.size and (bias.min() < -(2**31) or bias.max() >= 2**31):
        raise ValueError("the bias does not fit the 32 bits of an i32 accumulator's table")
    else:
        rows = [bias]
    rows += [multiplier, shift]
    if (residual_multiplier is None) != (residual_shift is None):
        raise ValueError("a residual has both a multiplier and a shift")
    if residual_multiplier is not None and residual_shift is not None:
        rows += [residual_multiplier, residual_shift]
    table = np.zeros((len(rows), pitch), np.int32)
    for row, values in zip(table, rows, strict=True):
        row[: bias.size] = values
    return table


def epilogue_table_rows(acc_type: str, residual: bool, scaled: bool = False) -> int:
    """Count the rows of an epilogue's table of parameters (see `pack_epilogue_table`; floats: the bias alone or, if
    `scaled`, the scales of integer weights, too).
    """
    if is_float(acc_type):
        return 2 if scaled else 1
    return (2 if acc_type == "i64" else 1) + (4 if residual else 2)


def epilogue_table_bytes(rows: int, pitch: int) -> int:
    """Return the bytes of `rows` rows of an epilogue's table, of `pitch` elements each: i32, or f32 for floats."""
    return bytes_of(rows * pitch, "i32")
