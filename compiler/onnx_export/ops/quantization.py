"""Exports quantization and dequantization; a quantized tensor is its integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....backends.numerics.storage import dtype_of
from ....dialects import top
from ....dialects.quant import UniformQuantizedType
from ....dialects.quant.element_type import element_of, element_storage
from ..graph_writer import GraphWriter
from ..schema import element_type


def _parameters(
    element: UniformQuantizedType, graph: GraphWriter
) -> tuple[list[str], dict[str, Any]]:
    """Return scale and zero point as constants, and the attributes that say where they lie."""
    shape: tuple[int, ...] = element.grid.get_values()
    attributes: dict[str, Any] = {}
    if element.is_per_axis:
        shape, attributes = (len(element.scales),), {"axis": element.axis}
    elif element.is_sub_channel:
        sizes = element.block_sizes.get_values()
        axis = max(range(len(sizes)), key=lambda each: sizes[each])
        attributes = {"axis": axis, "block_size": sizes[axis]}
    scales = np.asarray(element.scales, _scale_dtype(element))
    points = np.asarray(element.zero_points, dtype_of(element.storage_name))
    constants = [
        graph.constant(scales.reshape(shape), "scale"),
        graph.constant(points.reshape(shape), "zero_point"),
    ]
    return constants, attributes


def _scale_dtype(element: UniformQuantizedType) -> np.dtype:
    """Return the type of the numbers that are expressed, or f32 if it does not hold the scales exactly."""
    own = dtype_of(element_storage(element.expressed))
    wide = np.asarray(element.scales, np.float32)
    return own if np.array_equal(wide.astype(own).astype(np.float32), wide) else wide.dtype


def _quantize(op: top.QuantizeOp, graph: GraphWriter) -> str:
    element = element_of(op.output)
    assert isinstance(element, UniformQuantizedType)
    parameters, attributes = _parameters(element, graph)
    storage = element_type(element.storage_name)
    return graph.node("QuantizeLinear", op.input, *parameters, element=storage, **attributes)


def _dequantize(op: top.DequantizeOp, graph: GraphWriter) -> str:
    element = element_of(op.input)
    assert isinstance(element, UniformQuantizedType)
    parameters, attributes = _parameters(element, graph)
    real = element_storage(op.output.type)
    if _scale_dtype(element) != dtype_of(real):
        attributes["output_dtype"] = element_type(real)  # which is the scale's otherwise
    return graph.node(
        "DequantizeLinear", op.input, *parameters, element=element_type(real), **attributes
    )


def _storage_cast(op: top.StorageCastOp, graph: GraphWriter) -> str:
    return graph.tensor(op.input)


EXPORTERS = {
    top.QuantizeOp: _quantize,
    top.DequantizeOp: _dequantize,
    top.StorageCastOp: _storage_cast,
}
"""The exporters of this family."""
