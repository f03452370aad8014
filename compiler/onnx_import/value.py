"""A tensor of an ONNX model while it is imported: a constant, or a value at run time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from xdsl.dialects.builtin import TensorType, i1, i32, i64
from xdsl.ir import Attribute, SSAValue

from ...backends.numerics.storage import dtype_of
from ...dialects.quant.element_type import element_storage, type_of_storage


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


_FLOATS = ("f32", "f16", "bf16")
FLOAT_DTYPES = tuple(dtype_of(name) for name in _FLOATS)
"""The data types that networks compute with."""
NETWORK_DTYPES = (*FLOAT_DTYPES, dtype_of("bool"))
"""The data types that tensors have at run time: comparisons give bools."""
INTEGER_DTYPES = (dtype_of("i32"), dtype_of("i64"))
"""The data types of positions, which some ops give, and of what they are cast to."""


def float_element(data_type: int) -> Attribute | None:
    """Return the element type for one of ONNX's data types if networks compute with it, else None."""
    from onnx import TensorProto

    numbers = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16)
    name = dict(zip(numbers, _FLOATS, strict=True)).get(data_type)  # pyright: ignore
    return None if name is None else type_of_storage(name)


def network_element(data_type: int) -> Attribute | None:
    """Return the element type for one of ONNX's data types if tensors have it at run time, else None."""
    from onnx import TensorProto

    return i1 if data_type == TensorProto.BOOL else float_element(data_type)


def cast_element(data_type: int) -> Attribute | None:
    """The element type of one of ONNX's data types that a tensor can be cast to at run time, None for
    others.
    """
    from onnx import TensorProto

    integers: dict[int, Attribute] = {TensorProto.INT32: i32, TensorProto.INT64: i64}
    return integers.get(data_type) or network_element(data_type)


def dtype_of_value(value: Value) -> np.dtype:
    """Return the data type of a constant's or run-time value's elements."""
    return (
        value.array.dtype if isinstance(value, Constant) else dtype_of(element_storage(value.type))
    )
