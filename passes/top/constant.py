"""Constants of `top`: reads their values as arrays, makes new ones from arrays, and tells how they act per channel."""

from __future__ import annotations

import math

import numpy as np
from xdsl.dialects.builtin import BytesAttr, DenseIntOrFPElementsAttr, TensorType, f32
from xdsl.ir import Attribute, SSAValue

from ...backends.numerics.storage import dtype_of, name_of
from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import value_of
from ...dialects.quant.element_type import element_storage, shape_of, type_of_storage

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


def constant_result(op: top.TopOp, store: WeightStore) -> np.ndarray | None:
    """Return the result of an op that is the same whatever the inputs of the network are, in its storage type: it has
    no elements, or all operands are constants or have none. Return None for any other op, and for a constant.
    """
    if not op.operands:
        return None
    if 0 in shape_of(op.output):
        return _nothing(op.output)
    if not all(weight_of(each) or 0 in shape_of(each) for each in op.operands):
        return None
    arrays = [constant_of(each, store) for each in op.operands]
    operands = [
        _nothing(value) if array is None else array
        for value, array in zip(op.operands, arrays, strict=True)
    ]
    dtype = dtype_of(element_storage(op.output.type))
    return op.evaluate([each[None] for each in operands])[0].astype(dtype, copy=False)


def _nothing(value: SSAValue) -> np.ndarray:
    """Return the array of a value without elements."""
    return np.zeros(shape_of(value), dtype_of(element_storage(value.type)))


def make_constant(
    name: str,
    array: np.ndarray,
    store: WeightStore,
    key: str | None = None,
    element: Attribute | None = None,
) -> top.WeightOp:
    """Return a `top.weight` of `array`: a few f32 numbers stand in the IR itself, others under a new key of the store
    (`name` if None). `element` is the type of its elements if they stand for others than themselves.
    """
    array = np.asarray(array, order="C")  # which leaves a scalar without axes
    if array.dtype == np.float32 and array.size <= _DENSE_ELEMENTS:
        small = TensorType(f32, array.shape)
        value = DenseIntOrFPElementsAttr(small, BytesAttr(array.tobytes()))
        return top.WeightOp(name, type=small, value=value)
    type = TensorType(element or type_of_storage(name_of(array.dtype)), array.shape)
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
