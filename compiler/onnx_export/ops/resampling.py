"""Exports the resize."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....backends.diagnostics.diagnostic import DiagnosticError
from ....dialects import top
from ....dialects.ir.location import place_of
from ....dialects.quant.element_type import shape_of
from ..graph_writer import GraphWriter

_SYMMETRIC = "half_pixel_symmetric"
_SYMMETRIC_SINCE = 19
_CROPS = "tf_crop_and_resize"


def _resize(op: top.ResizeOp, graph: GraphWriter) -> str:
    transformation = op.coordinate_transformation_mode.data
    mode = op.mode.data
    extent, more = _extent(op, graph)
    return graph.node(
        "Resize",
        op.input,
        _region(op, graph),
        *extent,
        since=_SYMMETRIC_SINCE if transformation == _SYMMETRIC else None,
        mode=mode,
        coordinate_transformation_mode=transformation,
        nearest_mode=op.nearest_mode.data if mode == "nearest" else None,
        cubic_coeff_a=op.cubic_coeff_a.value.data if mode == "cubic" else None,
        extrapolation_value=op.extrapolation_value.value.data if transformation == _CROPS else None,
        exclude_outside=None if op.exclude_outside is None else 1,
        antialias=None if op.antialias is None else 1,
        **more,
    )


def _region(op: top.ResizeOp, graph: GraphWriter) -> str | None:
    """Return the region as ONNX has it: the starts of all axes, then their ends."""
    if op.roi is None:
        return None
    pairs = np.array(op.roi.get_values(), np.float32).reshape(-1, 2)
    return graph.constant(pairs.T.reshape(-1), "roi")


def _extent(op: top.ResizeOp, graph: GraphWriter) -> tuple[list[str | None], dict[str, Any]]:
    """Return the operands `scales` and `sizes`, one of them left out, and the attributes that they need."""
    scales, sizes = op.scales.get_values(), shape_of(op.output)
    shape = shape_of(op.input)
    is_ratio = all(
        scale == (size / length if length else 1.0)
        for scale, size, length in zip(scales, sizes, shape, strict=True)
    )
    crops = op.coordinate_transformation_mode.data == _CROPS
    if not crops and _gives(shape, scales, sizes, is_exact=is_ratio):
        return [graph.constant(np.array(scales, np.float32), "scales")], {}
    if is_ratio or crops:
        return [None, graph.integers(sizes, "sizes")], {}
    axes, wanted = _covering(op, shape, scales)
    attributes = {"axes": axes, "keep_aspect_ratio_policy": "not_larger"}
    return [None, graph.integers(wanted, "sizes")], attributes


def _gives(
    shape: Sequence[int], scales: Sequence[float], sizes: Sequence[int], is_exact: bool
) -> bool:
    """Tell whether scales, as f32, give these sizes; `is_exact`: and are the same as f32."""
    narrow = np.array(scales, np.float32)
    if is_exact and not np.array_equal(narrow.astype(np.float64), scales):
        return False
    found = np.floor(np.array(shape, np.float32) * narrow)
    return np.array_equal(found, sizes)


def _covering(
    op: top.ResizeOp, shape: Sequence[int], scales: Sequence[float]
) -> tuple[list[int], list[int]]:
    """Return axes that share one scale, and sizes of which the largest shape with that scale fits into.

    Raises DiagnosticError if there is none: neither the scales nor the sizes alone say what the op does.
    """
    axes = [axis for axis, scale in enumerate(scales) if scale != 1.0]
    shared = {scales[axis] for axis in axes}
    if len(shared) == 1:
        (scale,) = shared
        lengths = [shape[axis] for axis in axes]
        wanted = [max(1, math.ceil(scale * length - 1e-9)) for length in lengths]
        ratios = [size / length for size, length in zip(wanted, lengths, strict=True)]
        rounded = [math.floor(scale * length + 0.5) for length in lengths]
        found = [shape_of(op.output)[axis] for axis in axes]
        if min(ratios) == scale and rounded == found:
            return axes, wanted
    raise DiagnosticError(
        f"{op.name} '{op.result_name.data}' cannot be exported: ONNX's Resize does not give "
        f"{list(shape_of(op.output))} for the scales {list(scales)}",
        place_of(op),
        hint="make each scale the size of the result by that of the input",
    )


EXPORTERS = {top.ResizeOp: _resize}
"""The exporters of this family."""
