"""A tensor of an ONNX model while it is imported: a constant, or a value at run time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TypeAlias

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue

from ....backends.numerics.quantization import dequantize_linear
from ....backends.numerics.storage import NETWORK_FLOAT_NAMES, SMALL_NAMES, STORAGE_NAMES, dtype_of
from ....dialects.quant import UniformQuantizedType, uniform_with
from ....dialects.quant.element_type import element_storage, type_of_storage
from ....dialects.quant.parameter_grid import spread_parameters


@dataclass(frozen=True)
class Constant:
    """A tensor whose elements are known at import; `name` is the name that its weight will get."""

    array: np.ndarray
    name: str

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype:
        """The data type of the array."""
        return self.array.dtype


class QuantizedConstant(Constant):
    """Floats that the model gives as integers with scales: `stored` are the integers, quantized as `element` says, in
    a weight called `stored_name`.

    As a weight it is the integers, dequantized at run time, so that integer products take them as they are. `array` is
    computed when it is first read, by who wants floats.
    """

    def __init__(
        self,
        stored: np.ndarray,
        element: UniformQuantizedType,
        name: str,
        stored_name: str | None = None,
    ) -> None:
        object.__setattr__(self, "stored", stored)
        object.__setattr__(self, "stored_name", stored_name or f"{name}_quantized")
        object.__setattr__(self, "element", element)
        object.__setattr__(self, "name", name)

    stored: np.ndarray
    element: UniformQuantizedType
    stored_name: str

    @cached_property
    def array(self) -> np.ndarray:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The floats."""
        scales, points = spread_parameters(self.element, self.stored.shape)
        return dequantize_linear(
            self.stored, scales, points, element_storage(self.element.expressed)
        )

    @property
    def shape(self) -> tuple[int, ...]:
        return self.stored.shape

    @property
    def dtype(self) -> np.dtype:
        return dtype_of(element_storage(self.element.expressed))

    def reshaped(self, shape: Sequence[int], name: str) -> Constant:
        """Return the elements in another shape; as plain floats if the quantized axis is not one of its axes, or if
        scales are those of blocks.
        """
        if self.element.is_per_tensor:
            return QuantizedConstant(self.stored.reshape(shape), self.element, name)
        if self.element.is_sub_channel:
            return Constant(self.array.reshape(shape), name)
        axis = self.element.axis
        before = prod(self.stored.shape[:axis])
        for other, size in enumerate(shape):
            if prod(shape[:other]) == before and size == self.stored.shape[axis]:
                return self._along(self.stored.reshape(shape), other, name)
        return Constant(self.array.reshape(shape), name)

    def transposed(self, permutation: Sequence[int], name: str) -> Constant:
        """Return the elements with axis i from axis permutation[i]; as plain floats if scales are those of blocks."""
        if self.element.is_sub_channel:
            return Constant(np.asarray(self.array.transpose(permutation), order="C"), name)
        stored = np.asarray(self.stored.transpose(permutation), order="C")
        if self.element.is_per_tensor:
            return QuantizedConstant(stored, self.element, name)
        return self._along(stored, list(permutation).index(self.element.axis), name)

    def _along(self, stored: np.ndarray, axis: int, name: str) -> QuantizedConstant:
        """Return other integers with the same scales along another axis."""
        own = self.element
        element = uniform_with(
            own.storage_name, own.scales, own.zero_points, [axis], expressed=own.expressed
        )
        return QuantizedConstant(stored, element, name)


Value: TypeAlias = Constant | SSAValue
"""A tensor of the model while it is imported."""


def shape_of(value: Value) -> tuple[int, ...]:
    """Return the shape of a constant or run-time value; all dimensions are known during import."""
    if isinstance(value, Constant):
        return value.shape
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
    return value.dtype if isinstance(value, Constant) else dtype_of(element_storage(value.type))
