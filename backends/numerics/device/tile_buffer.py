"""Views buffers as instructions see them: shapes, strides, samples, padding lanes, clamps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..packing import packed_bytes, unpack_rows
from ..storage import PACKED_NAMES, dtype_of, integer_range, is_float, storage_type
from ..strided_view import strided_view
from .group_scales import stored_rows, unpacked_groups

_INFINITE = float("inf")


def shaped(array: np.ndarray, shape: tuple[int, ...], name: str, storage: str) -> np.ndarray:
    """View `array`, given in that shape or flat as [..., elements], as [..., *shape], without leading axes of one
    sample.
    """
    if array.dtype != dtype_of(storage):
        raise ValueError(f"{name} holds {array.dtype}, the instruction reads {storage}")
    size = int(np.prod(shape, dtype=np.int64))
    if array.shape[max(array.ndim - len(shape), 0) :] == shape:
        return array
    if array.ndim and array.shape[-1] == size:
        return array.reshape(*array.shape[:-1], *shape)
    raise ValueError(f"{name} has shape {array.shape}, the instruction reads {shape}")


def shaped_weights(w: np.ndarray, shape: tuple[int, ...], type: str, w_type: str) -> np.ndarray:
    """View weights as [..., *shape]: elements of `type` or, unless `w_type` is "none", of that type; rows of bytes u8
    if its elements share them (`unpacked`).
    """
    if w_type not in PACKED_NAMES:
        return shaped(w, shape, "w", type if w_type == "none" else w_type)
    return shaped(w, (*shape[:-1], packed_bytes(shape[-1], w_type)), "w", "u8")


def unpacked(
    w: np.ndarray, columns: int, type: str, w_type: str, w_group: int = 0, depth: int = 0
) -> np.ndarray:
    """Return weights with rows of `columns` elements as numbers that inputs of `type` are multiplied with: as they are
    if `w_type` is "none", else integers, or floats that stand for the same integers. If `w_group` is not 0, the rows
    [..., n] come with scales: those of each `depth` weights begin with a group of their own.
    """
    if w_group:
        rows = stored_rows(depth, w_group, type, w_type)
        taps = w.reshape(*w.shape[:-2], -1, rows, w.shape[-1])
        numbers = unpacked_groups(taps, columns, depth, w_group, type, w_type)
        return numbers.reshape(*w.shape[:-2], -1, columns)
    if w_type in PACKED_NAMES:
        w = unpack_rows(w, columns, w_type)
    return w.astype(dtype_of(type)) if w_type != "none" and is_float(type) else w


def narrowed(x: np.ndarray, w_type: str, narrow_x: int) -> np.ndarray:
    """Return inputs as a unit reads them that, if `narrow_x`, takes only the bits of `w_type` of each: these, with
    their sign.
    """
    if not narrow_x:
        return x
    unused = x.dtype.type(8 * x.dtype.itemsize - storage_type(w_type).file_bits)
    return (x << unused) >> unused


def strided(
    array: np.ndarray, sizes: tuple[int, ...], strides: tuple[int, ...], name: str, storage: str
) -> np.ndarray:
    """Return a read-only view of flat [..., elements] as [..., *sizes] with `strides` in elements."""
    if array.dtype != dtype_of(storage):
        raise ValueError(f"{name} holds {array.dtype}, the instruction reads {storage}")
    needed = 1 + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if min(sizes) > 0 and (not array.ndim or array.shape[-1] < needed):
        raise ValueError(f"{name} has shape {array.shape}, the instruction reads {needed} elements")
    element = array.strides[-1]
    return strided_view(
        array,
        (*array.shape[:-1], *sizes),
        (*array.strides[:-1], *(stride * element for stride in strides)),
        writeable=False,
    )


def per_sample(
    compute: Callable[..., np.ndarray],
    shared: np.ndarray,
    shared_rank: int,
    *operands: tuple[np.ndarray, int],
) -> np.ndarray:
    """Call compute(shared, *operands), where `shared` may have sample axes before its own `shared_rank` axes.

    All samples are computed at once while they share one copy of it, else one by one. Each operand
    is an array and its own rank.
    """
    lead = shared.shape[: shared.ndim - shared_rank]
    pairs = zip(lead, shared.strides, strict=False)
    if all(size == 1 or stride == 0 for size, stride in pairs):
        return compute(shared[(0,) * len(lead)], *(array for array, _ in operands))
    samples = np.broadcast_shapes(
        lead, *(array.shape[: array.ndim - rank] for array, rank in operands)
    )
    every = [(shared, shared_rank), *operands]
    spread = [np.broadcast_to(a, (*samples, *a.shape[a.ndim - rank :])) for a, rank in every]
    parts = [compute(*(array[at] for array in spread)) for at in np.ndindex(samples)]
    return np.stack(parts).reshape(*samples, *parts[0].shape)


def accumulated(
    result: np.ndarray,
    rank: int,
    pitch: int,
    acc_type: str,
    accumulate: int,
    acc: np.ndarray | None,
) -> np.ndarray:
    """Widen `result` to `pitch` with zeros, and add `acc` if the instruction accumulates.

    Without its samples, `result` has `rank` axes, the last being the channels.
    """
    widened = padded(result, pitch, 0)
    if not accumulate:
        return widened
    if acc is None:
        raise ValueError("an accumulating instruction needs the accumulator")
    with np.errstate(over="ignore", invalid="ignore"):
        return shaped(acc, widened.shape[-rank:], "acc", acc_type) + widened


def padded(
    result: np.ndarray, pitch: int, value: float, whole: np.ndarray | None = None
) -> np.ndarray:
    """Widen [..., channels] to [..., pitch], with `value` in the padding lanes; in place if `whole` has the pitch
    already.
    """
    channels = result.shape[-1]
    if channels == pitch:
        return result
    if channels > pitch:
        raise ValueError(f"rows of {channels} elements do not fit a pitch of {pitch}")
    if whole is None or whole.shape[-1] != pitch:
        whole = np.empty((*result.shape[:-1], pitch), result.dtype)
        whole[..., :channels] = result
    whole[..., channels:] = value
    return whole


def integer_clamp(storage: str, low: float, high: float) -> tuple[int, int] | None:
    """Return clamp fields as integers within the storage range, or None if neither bounds anything."""
    if low == -_INFINITE and high == _INFINITE:
        return None
    least, greatest = integer_range(storage)
    return round(min(max(low, least), greatest)), round(min(max(high, least), greatest))
