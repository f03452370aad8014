"""A tensor of an ONNX model while it is imported: a constant, or a value at run time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue

from ....backends.numerics.storage import NETWORK_FLOAT_NAMES, SMALL_NAMES, STORAGE_NAMES, dtype_of
from ....dialects.quant.element_type import element_storage, type_of_storage


@dataclass(frozen=True)
class Constant:
    """A tensor whose elements are known at import; `name` is the name that its weight will get."""

    array: np.ndarray
    name: str


Value: TypeAlias = Constant | SSAValue
"""A tensor of the model while it is imported."""


def shape_of(value: Value) -> tuple[int, ...]:
    """Return the shape of a constant or run-time value; all dimensions are known during import."""
    if isinstance(value, Constant):
        return value.array.shape
    assert isinstance(value.type, TensorType)
    return value.type.get_shape()


FLOAT_DTYPES = tuple(dtype_of(name) for name in NETWORK_FLOAT_NAMES)
"""The data types that networks compute with."""
NETWORK_DTYPES = (*FLOAT_DTYPES, dtype_of("bool"))
"""The data types that engines compute with: comparisons give bools. Tensors of others are moved and given to calls."""
SMALL_DTYPES = tuple(dtype_of(name) for name in SMALL_NAMES)
"""The data types of 8 bits and less that nothing computes with, but casts, comparisons and moves."""
TENSOR_DTYPES = tuple(dtype_of(name) for name in STORAGE_NAMES)
"""The data types that tensors have at run time."""


def element_of_onnx(data_type: int) -> Attribute | None:
    """Return the element type for one of ONNX's data types; None if tensors do not have it at run time."""
    from onnx.helper import np_dtype_to_tensor_dtype

    return next(
        (
            type_of_storage(name)
            for name in STORAGE_NAMES
            if np_dtype_to_tensor_dtype(dtype_of(name)) == data_type
        ),
        None,
    )


def dtype_of_value(value: Value) -> np.dtype:
    """Return the data type of a constant's or run-time value's elements."""
    return (
        value.array.dtype if isinstance(value, Constant) else dtype_of(element_storage(value.type))
    )
