"""Imports Resize (opset 10 to 19) and Upsample; sizes, scales and regions must be known at import."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from xdsl.dialects.builtin import f64
from xdsl.ir import Attribute

from ....backends.numerics.storage import dtype_of, name_of
from ....backends.numerics.windows.resampling import (
    RESIZE_MODES,
    extrapolated,
    taps_by_axis,
)
from ....dialects import top
from ....dialects.quant.element_type import element_storage, type_of_storage
from ..graph.builder import GraphBuilder
from ..graph.call import is_for_engines
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import Operator
from ..graph.value import Constant, Value, dtype_of_value, shape_of
from .movement import gather
from .pointwise import in_element


@dataclass(frozen=True)
class _Extent:
    """The sizes of the result, and for each axis the scale that coordinates are computed from."""

    sizes: tuple[int, ...]
    scales: tuple[float, ...]


def _resize(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    if node.opset < 11:
        return _upsample(node, builder)
    value = node.input(0)
    shape = shape_of(value)
    axes = node.integers("axes") if node.opset >= 18 else None
    chosen = [node.axis(a, len(shape)) for a in axes] if axes else list(range(len(shape)))
    if len(set(chosen)) != len(chosen):
        raise node.error(f"axes {axes} name an axis twice")
    extent = _extent(node, builder, shape, chosen)
    transformation = node.string("coordinate_transformation_mode", "half_pixel")
    roi = None
    if transformation == "tf_crop_and_resize":
        roi = _region(node, len(shape), chosen)
    if extent.sizes == shape and roi is None and all(scale == 1.0 for scale in extent.scales):
        return [value]
    result = _resized(
        node,
        builder,
        node.output,
        value,
        extent,
        extrapolation=node.real("extrapolation_value", 0.0),
        mode=_mode(node),
        coordinate_transformation_mode=transformation,
        nearest_mode=node.string("nearest_mode", "round_prefer_floor"),
        cubic_coeff_a=node.real("cubic_coeff_a", -0.75),
        exclude_outside=bool(node.integer("exclude_outside", 0)),
        antialias=node.opset >= 18 and bool(node.integer("antialias", 0)),
        roi=roi,
    )
    return [result]


def _resized(
    node: Node,
    builder: GraphBuilder,
    name: str,
    value: Value,
    extent: _Extent,
    *,
    extrapolation: float = 0.0,
    **fields: Any,
) -> Value:
    """Emit a resize: for engines or, of elements that they do not compute with, as gathers and, where it mixes
    elements, as products with matrices of weights in f64.

    Integers that it mixes are rounded to the nearest one, of two to the even one, and saturated, as ONNX's reference
    implementation has it; ONNX Runtime is off by one at times.
    """
    if is_for_engines(value):
        return builder.emit(
            top.ResizeOp,
            name,
            value,
            shape=extent.sizes,
            scales=extent.scales,
            extrapolation_value=extrapolation,
            **fields,
        )
    element = type_of_storage(name_of(dtype_of_value(value)))
    is_mixed, shape = fields["mode"] != "nearest", shape_of(value)
    try:
        taps = taps_by_axis(
            sizes=shape, results=extent.sizes, scales=extent.scales, dtype=np.float64, **fields
        )
    except ValueError as error:
        raise node.error(str(error)) from None

    def along(axis: int, index: np.ndarray, weight: np.ndarray) -> _Step:
        if is_mixed:
            return lambda value, name: _mixed(builder, value, axis, index, weight, name)
        return lambda value, name: gather(node, builder, value, axis, index[:, 0], name)

    outside = np.zeros((1,) * len(shape), np.bool_)
    steps = [along(axis, *each) for axis, each in taps.items()]
    for axis, (_, weight) in taps.items():
        sizes = (-1, *(1,) * (len(shape) - axis - 1))
        outside = outside | extrapolated(weight).reshape(sizes)
    if outside.any():
        mask = Constant(outside, builder.derived(name, "outside"))
        dtype = np.float64 if is_mixed else dtype_of_value(value)
        other = Constant(np.array(extrapolation, dtype), builder.derived(name, "extrapolation"))
        steps.append(lambda value, name: builder.emit(top.SelectOp, name, mask, other, value))
    if is_mixed and element != f64:
        steps.insert(0, lambda value, name: in_element(node, builder, value, f64, name))
        steps.append(lambda value, name: _saturated(node, builder, value, element, name))
    for number, step in enumerate(steps, 1):
        value = step(value, name if number == len(steps) else builder.derived(name, "step"))
    return value


_Step = Callable[[Value, str], Value]
"""Emits a step of a resize, with its operand and the name of its result."""


def _saturated(
    node: Node, builder: GraphBuilder, value: Value, element: Attribute, name: str
) -> Value:
    """Emit the integers of `element` (or bools) that are nearest to a value of f64."""
    rounded = builder.derived(name, "rounded")
    value = builder.emit(top.UnaryOp, rounded, value, kind="round")
    dtype = dtype_of(element_storage(element))
    if dtype.kind in "iu":
        for op, end in ((top.MaxOp, "min"), (top.MinOp, "max")):
            limit = np.float64(getattr(np.iinfo(dtype), end))
            if int(limit) > np.iinfo(dtype).max:
                limit = np.nextafter(limit, 0)  # f64 does not hold the greatest integer
            bound = Constant(np.array(limit), builder.derived(name, f"{end}imum"))
            value = builder.emit(op, builder.derived(name, f"bounded_{end}"), value, bound)
    return in_element(node, builder, value, element, name)


def _mixed(
    builder: GraphBuilder,
    value: Value,
    axis: int,
    index: np.ndarray,
    weight: np.ndarray,
    name: str,
) -> Value:
    """Emit the product of a matrix that has `weight` [out, taps] at `index` [out, taps] with an axis of a value of
    f64.
    """
    shape = shape_of(value)
    matrix = np.zeros((len(index), shape[axis]))
    np.add.at(matrix, (np.arange(len(index))[:, None], index), weight)
    weights = Constant(matrix, builder.derived(name, "weights"))
    apart = (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
    columns = builder.reshape(value, apart, builder.derived(name, "columns"))
    made = builder.emit(top.MatmulOp, builder.derived(name, "mixed"), weights, columns)
    return builder.reshape(made, (*shape[:axis], len(index), *shape[axis + 1 :]), name)


def _mode(node: Node) -> str:
    mode = node.string("mode", "nearest")
    mode = "linear" if mode == "bilinear" else mode  # the name in Upsample 1
    if mode not in RESIZE_MODES:
        raise UnsupportedNodeError(f"its mode '{mode}' is none of {', '.join(RESIZE_MODES)}")
    return mode


def _extent(
    node: Node, builder: GraphBuilder, shape: Sequence[int], axes: Sequence[int]
) -> _Extent:
    """Return the extent from scales or sizes, of which exactly one is given (an empty tensor counts as not given)."""
    scales = _numbers(node, 2, "input scales")
    sizes = node.integers_of(3, "input sizes")
    if bool(scales) == bool(sizes):
        raise node.error("exactly one of the inputs scales and sizes must be given")
    if scales:
        return _extent_of_scales(node, shape, axes, scales)
    assert sizes is not None
    if len(sizes) != len(axes):
        raise node.error(f"sizes {sizes} must have one number for each of {len(axes)} axes")
    sizes = _with_batch(builder, shape, axes, sizes)
    _check_sizes(node, [shape[axis] for axis in axes], sizes)
    return _extent_of_sizes(node, shape, axes, sizes)


def _check_sizes(node: Node, given: Sequence[int], sizes: Sequence[int]) -> None:
    """Raise DiagnosticError unless every axis that has elements keeps some, and no other axis gets any."""
    for length, size in zip(given, sizes, strict=True):
        if length and size < 1:
            raise node.error(f"sizes {list(sizes)} must be at least 1")
        if not length and size:
            raise node.error(f"an axis without elements cannot be resized to {size}")


def _with_batch(
    builder: GraphBuilder, shape: Sequence[int], axes: Sequence[int], sizes: list[int]
) -> list[int]:
    """Change sizes that were written for the model's batch size to the new batch size."""
    batch = builder.batch
    if batch is None or not axes or axes[0] != 0:
        return sizes
    if sizes[0] == batch.old and shape[0] == batch.new:
        return [batch.new, *sizes[1:]]
    return sizes


def _numbers(node: Node, index: int, what: str) -> list[float] | None:
    array = node.constant(index, what)
    if array is None:
        return None
    if array.ndim != 1 or array.dtype.kind != "f" or not np.isfinite(array).all():
        raise node.error(f"{what} must be a list of finite floats, it is {array}")
    return [float(value) for value in array]


def _extent_of_scales(
    node: Node, shape: Sequence[int], axes: Sequence[int], scales: Sequence[float]
) -> _Extent:
    """Return the extent from scales: output size = floor(input size · scale) (ONNX), in f32 as in its shape
    inference.
    """
    if len(scales) != len(axes) or any(scale <= 0 for scale in scales):
        raise node.error(f"scales {list(scales)} must be {len(axes)} positive numbers")
    sizes, full = list(shape), [1.0] * len(shape)
    for axis, scale in zip(axes, scales, strict=True):
        with np.errstate(over="ignore"):
            product = float(np.float32(shape[axis]) * np.float32(scale))
        if shape[axis] and not 1 <= product < 2**31:
            raise node.error(f"scale {scale} makes {product} of axis {axis} of {list(shape)}")
        sizes[axis] = math.floor(product)
        full[axis] = scale
    return _Extent(tuple(sizes), tuple(full))


def _extent_of_sizes(
    node: Node, shape: Sequence[int], axes: Sequence[int], wanted: Sequence[int]
) -> _Extent:
    """Return the extent from sizes: taken as they are ("stretch"), or with one scale for all axes (since opset 18).

    The one scale makes the result as large as fits into the sizes ("not_larger"), or as small as covers them
    ("not_smaller").
    """
    policy = node.string("keep_aspect_ratio_policy", "stretch") if node.opset >= 18 else "stretch"
    sizes, scales = list(shape), [1.0] * len(shape)
    lengths = [shape[axis] for axis in axes]
    ratios = [
        size / length if length else 1.0 for size, length in zip(wanted, lengths, strict=True)
    ]
    if policy == "stretch":
        for axis, size, ratio in zip(axes, wanted, ratios, strict=True):
            sizes[axis], scales[axis] = size, ratio
        return _Extent(tuple(sizes), tuple(scales))
    if policy not in ("not_larger", "not_smaller"):
        raise node.error(f"unknown keep_aspect_ratio_policy '{policy}'")
    scale = min(ratios) if policy == "not_larger" else max(ratios)
    for axis in axes:
        # ONNX, Resize: round_int, which rounds halves up.
        sizes[axis] = math.floor(scale * shape[axis] + 0.5)
        scales[axis] = scale
    return _Extent(tuple(sizes), tuple(scales))


def _region(node: Node, rank: int, axes: Sequence[int]) -> tuple[float, ...]:
    """Return the region of interest: the starts of all axes, then their ends; an axis that is not named has 0 and 1."""
    roi = _numbers(node, 1, "input roi")
    if roi is None or len(roi) != 2 * len(axes):
        raise node.error(f"tf_crop_and_resize needs roi with {2 * len(axes)} numbers")
    starts, ends = [0.0] * rank, [1.0] * rank
    for position, axis in enumerate(axes):
        starts[axis], ends[axis] = roi[position], roi[len(axes) + position]
    return tuple(number for pair in zip(starts, ends, strict=True) for number in pair)


def _upsample(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Upsample, and Resize of opset 10, which scale coordinates without any offset.

    Nearest takes the pixel below when it enlarges. Opset 10 does not say what it does when it shrinks; ONNX Runtime
    then takes the pixel above. So a node that does both, along different axes, becomes two ops.
    """
    value = node.input(0)
    shape = shape_of(value)
    extent = _extent_of_scales(node, shape, list(range(len(shape))), _old_scales(node))
    mode = _mode(node)
    shrinks = [scale < 1.0 for scale in extent.scales]
    if mode != "nearest" or all(shrinks) or not any(shrinks):
        steps = [(node.output, extent, "ceil" if any(shrinks) else "floor")]
    else:
        sizes = [s if less else n for s, n, less in zip(extent.sizes, shape, shrinks, strict=True)]
        down = [s if less else 1.0 for s, less in zip(extent.scales, shrinks, strict=True)]
        up = [1.0 if less else s for s, less in zip(extent.scales, shrinks, strict=True)]
        first = _Extent(tuple(sizes), tuple(down))
        name = builder.derived(node.output, "shrunk")
        steps = [(name, first, "ceil"), (node.output, _Extent(extent.sizes, tuple(up)), "floor")]
    for name, step, nearest_mode in steps:
        if all(scale == 1.0 for scale in step.scales):
            continue
        value = _resized(
            node,
            builder,
            name,
            value,
            step,
            mode=mode,
            coordinate_transformation_mode="asymmetric",
            nearest_mode=nearest_mode,
        )
    return [value]


def _old_scales(node: Node) -> list[float]:
    if node.op_type == "Upsample" and node.opset < 7:
        return [1.0, 1.0, node.real("height_scale", 1.0), node.real("width_scale", 1.0)]
    if node.op_type == "Upsample" and node.opset < 9:
        return node.reals("scales") or []
    return _numbers(node, 1, "input scales") or []


OPERATORS = {
    "Resize": Operator(_resize, "vector"),
    "Upsample": Operator(_upsample, "vector"),
}
"""The ops of this family."""
