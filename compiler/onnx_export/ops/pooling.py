"""Exports the pools."""

from __future__ import annotations

from typing import Any

from ....backends.numerics.windows.sliding_windows import pool_output_size
from ....dialects import top
from ....dialects.quant.element_type import shape_of
from ..graph_writer import GraphWriter


def _window(op: top.PoolOp) -> dict[str, Any]:
    """Return the attributes of a window: dilations, which average pools have in newer opsets only, and ceil_mode, of
    which tools differ in the windows that start in the padding at the end, only where they count.
    """
    dilations = op.dilations.get_values()
    rounds_up = op.ceil_mode is not None and _floor_sizes(op) != shape_of(op.output)[2:]
    return {
        "kernel_shape": op.kernel.get_values(),
        "strides": op.strides.get_values(),
        "pads": op.pads.get_values(),
        "dilations": None if set(dilations) == {1} else dilations,
        "ceil_mode": 1 if rounds_up else None,
    }


def _floor_sizes(op: top.PoolOp) -> tuple[int, ...]:
    """Return the height and width of the result if the last window had to lie in the padded image."""
    kernel, strides, dilations, pads = (
        each.get_values() for each in (op.kernel, op.strides, op.dilations, op.pads)
    )
    return tuple(
        pool_output_size(
            size, kernel[d], strides[d], dilations[d], pads[d], pads[2 + d], ceil_mode=False
        )
        for d, size in enumerate(shape_of(op.input)[2:])
    )


def _max_pool(op: top.MaxPoolOp, graph: GraphWriter) -> str:
    return graph.node("MaxPool", op.input, **_window(op))


def _avg_pool(op: top.AvgPoolOp, graph: GraphWriter) -> str:
    include = None if op.count_include_pad is None else 1
    return graph.node("AveragePool", op.input, count_include_pad=include, **_window(op))


EXPORTERS = {top.MaxPoolOp: _max_pool, top.AvgPoolOp: _avg_pool}
"""The exporters of this family."""
