"""Imports what is known before a network runs: Constant in all forms, Identity, Shape, Size, EyeLike, Range,
MelWeightMatrix.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....backends.numerics.mel_scale import mel_weight_matrix
from ....backends.numerics.storage import FLOAT_NAMES, dtype_of
from ....dialects.quant.element_type import element_storage
from ..graph.builder import GraphBuilder
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import Operator
from ..graph.value import (
    TENSOR_DTYPES,
    Constant,
    Value,
    dtype_of_value,
    element_of_onnx,
    shape_of,
)
from ..model.sparse_tensors import dense

_FLOATS = tuple(dtype_of(name) for name in FLOAT_NAMES)
_FORMS: dict[str, Callable[[Any], np.ndarray]] = {
    "value_float": lambda attribute: np.array(attribute.f, np.float32),
    "value_floats": lambda attribute: np.array(attribute.floats, np.float32),
    "value_int": lambda attribute: np.array(attribute.i, np.int64),
    "value_ints": lambda attribute: np.array(attribute.ints, np.int64),
    "value_string": lambda attribute: np.array(attribute.s, np.object_),
    "value_strings": lambda attribute: np.array(list(attribute.strings), np.object_),
}


def _constant(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    if node.has("sparse_value"):
        sparse = node.attribute("sparse_value").sparse_tensor
        return [Constant(dense(sparse, node.reader, builder.budget), node.output)]
    if node.has("value"):
        return [Constant(node.reader.read(node.attribute("value").t), node.output)]
    for name, read in _FORMS.items():
        if node.has(name):
            return [Constant(read(node.attribute(name)), node.output)]
    raise node.error("it has none of the attributes value, value_float(s), value_int(s)")


def _identity(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    return [node.input(0)]


def _shape(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Shape: the dimensions from `start` to `end` (since opset 15), which are clamped to the rank."""
    shape = shape_of(node.input(0))
    start = node.integer("start", 0) if node.opset >= 15 else 0
    end = node.integer("end", len(shape)) if node.opset >= 15 else len(shape)
    return [Constant(np.array(shape[slice(start, end)], np.int64), node.output)]


def _size(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    elements = math.prod(shape_of(node.input(0)))
    return [Constant(np.array(elements, np.int64), node.output)]


def _eye_like(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import EyeLike: ones on diagonal k of a matrix of the input's shape, of the input's type unless one is given."""
    shape = shape_of(node.input(0))
    if len(shape) != 2:
        raise node.error(f"its input must be a matrix, it has shape {list(shape)}")
    dtype = dtype_of_value(node.input(0))
    if node.has("dtype"):
        element = element_of_onnx(node.integer("dtype", 0))
        if element is None:
            raise UnsupportedNodeError(
                "its elements are others than bools, integers and floats of 8 to 64 bits"
            )
        dtype = dtype_of(element_storage(element))
    builder.budget.spend(math.prod(shape) * dtype.itemsize, shape, node.place)
    # A diagonal beside the matrix is one that NumPy refuses if it is far off.
    k = min(max(node.integer("k", 0), -shape[0]), shape[1])
    return [Constant(np.eye(*shape, k=k).astype(dtype), node.output)]


def _range(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Range: start + i · delta, in the type of its inputs, of ceil((limit - start) / delta) elements."""
    names = ("start", "limit", "delta")
    given = [node.constant(index, f"input {name}") for index, name in enumerate(names)]
    arrays = [each for each in given if each is not None and each.size == 1]
    if len(arrays) < 3:
        raise node.error("start, limit and delta must be one number each")
    dtype = arrays[0].dtype
    if dtype not in TENSOR_DTYPES or dtype == np.bool_:
        raise node.error(f"its inputs are {dtype}, not numbers")
    is_real = dtype in _FLOATS
    start, limit, delta = (
        each.reshape(()).astype(np.float64 if is_real else dtype).item() for each in arrays
    )
    if delta == 0 or not all(math.isfinite(each) for each in (start, limit, delta)):
        raise node.error(f"from {start} to {limit} there is no number of steps of {delta}")
    steps = math.ceil((limit - start) / delta) if is_real else -((start - limit) // delta)
    count = max(steps, 0)
    builder.budget.spend(count * dtype.itemsize, (count,), node.place)
    # Integers are counted in their own type, which holds all of them.
    own = np.dtype(np.float64) if is_real else dtype
    numbers = own.type(start) + np.arange(count).astype(own) * own.type(delta)
    return [Constant(numbers.astype(dtype), node.output)]


def _mel_weight_matrix(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    names = ("num_mel_bins", "dft_length", "sample_rate", "lower_edge_hertz", "upper_edge_hertz")
    given = [node.constant(index, f"input {name}") for index, name in enumerate(names)]
    numbers = [each.reshape(()).item() for each in given if each is not None and each.size == 1]
    if len(numbers) < len(names):
        raise node.error(f"{', '.join(names)} must be one number each")
    bins, length, rate = (int(each) for each in numbers[:3])
    if bins < 0 or length < 1 or rate < 1:
        raise node.error(f"there are no {bins} bins of {length} elements at {rate} Hz")
    element = element_of_onnx(node.integer("output_datatype", 1))
    if element is None:
        raise node.error(f"output_datatype {node.integer('output_datatype', 1)} is no type")
    shape = (length // 2 + 1, bins)
    builder.budget.spend(math.prod(shape) * 8, shape, node.place)
    try:
        weights = mel_weight_matrix(bins, length, rate, *map(float, numbers[3:]))
    except ValueError as error:
        raise node.error(str(error)) from None
    return [Constant(weights.astype(dtype_of(element_storage(element))), node.output)]


OPERATORS = {
    "MelWeightMatrix": Operator(_mel_weight_matrix, "folded"),
    "EyeLike": Operator(_eye_like, "folded"),
    "Range": Operator(_range, "folded"),
    "Constant": Operator(_constant, "folded"),
    "Identity": Operator(_identity, "removed"),
    "Shape": Operator(_shape, "folded"),
    "Size": Operator(_size, "folded"),
}
"""The ops of this family."""
