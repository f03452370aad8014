"""A tensor of an ONNX model while it is imported: a constant, or a value at run time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue

from ....backends.numerics.storage import NETWORK_FLOAT_NAMES, POSITION_NAMES, dtype_of
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
"""The data types that tensors have at run time: comparisons give bools."""
INTEGER_DTYPES = tuple(dtype_of(name) for name in POSITION_NAMES)
"""The data types of positions, which some ops give, and of what they are cast to."""


def network_element(data_type: int) -> Attribute | None:
    """Return the element type for one of ONNX's data types if tensors have it at run time, else None."""
    return _element(data_type, (*NETWORK_FLOAT_NAMES, "bool"))


def cast_element(data_type: int) -> Attribute | None:
    """Return the element type for one of ONNX's data types if a tensor can be cast to it at run time, else None."""
    return _element(data_type, (*NETWORK_FLOAT_NAMES, "bool", *POSITION_NAMES))


def _element(data_type: int, storages: Collection[str]) -> Attribute | None:
    """Return the element type for one of ONNX's data types if it is one of some storage types, else None."""
    from onnx.helper import np_dtype_to_tensor_dtype

    return next(
        (
            type_of_storage(name)
            for name in storages
            if np_dtype_to_tensor_dtype(dtype_of(name)) == data_type
        ),
        None,
    )


def dtype_of_value(value: Value) -> np.dtype:
    """Return the data type of a constant's or run-time value's elements."""
    return (
        value.array.dtype if isinstance(value, Constant) else dtype_of(element_storage(value.type))
    )
