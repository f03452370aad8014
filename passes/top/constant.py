"""Constants of `top`: reads their values as arrays, makes new ones from arrays, and tells how they act per channel."""

from __future__ import annotations

import math

import numpy as np
from xdsl.dialects.builtin import BytesAttr, DenseIntOrFPElementsAttr, TensorType, f32
from xdsl.ir import SSAValue

from ...backends.numerics.storage import name_of
from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import value_of
from ...dialects.quant.element_type import type_of_storage

_DENSE_ELEMENTS = 16
"""Constants up to this many elements stand in the IR itself, where a person can read them."""


def weight_of(value: SSAValue | None) -> top.WeightOp | None:
    """Return the op that makes `value` if it is a constant, else None."""
    if value is None:
        return None
    owner = value.owner
    return owner if isinstance(owner, top.WeightOp) else None


def constant_of(value: SSAValue | None, store: WeightStore) -> np.ndarray | None:
    """Return the array of a constant value (read-only, in its storage type); None for any other value."""
    weight = weight_of(value)
    return None if weight is None else value_of(weight, store)


def make_constant(
    name: str, array: np.ndarray, store: WeightStore, key: str | None = None
) -> top.WeightOp:
    """Return a `top.weight` of `array`: a few f32 numbers stand in the IR itself, others under a new key of the store
    (`name` if None).
    """
    array = np.ascontiguousarray(array)
    if array.dtype == np.float32 and array.size <= _DENSE_ELEMENTS:
        small = TensorType(f32, array.shape)
        value = DenseIntOrFPElementsAttr(small, BytesAttr(array.tobytes()))
        return top.WeightOp(name, type=small, value=value)
    type = TensorType(type_of_storage(name_of(array.dtype)), array.shape)
    return top.WeightOp(name, type=type, key=store.add(key or name, array))


def per_channel(constant: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray | None:
    """Return `constant` as a vector [shape[axis]] if, broadcast to `shape`, it depends only on the index along `axis`.

    Return None if it depends on another axis too, or if broadcasting makes the result larger than `shape`.
    """
    if constant.ndim > len(shape):
        return None
    padded = (1,) * (len(shape) - constant.ndim) + constant.shape
    axis %= len(shape)
    if any(size != 1 for other, size in enumerate(padded) if other != axis):
        return None
    if padded[axis] not in (1, shape[axis]):
        return None
    return np.broadcast_to(constant.reshape(-1), (shape[axis],))


def is_filled_with(constant: np.ndarray | None, number: float) -> bool:
    """Tell whether `constant` is given and every element of it is `number`."""
    return (
        constant is not None and math.prod(constant.shape) > 0 and bool(np.all(constant == number))
    )
