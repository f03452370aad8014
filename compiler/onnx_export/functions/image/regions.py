"""Exports functions of regions of images."""

from __future__ import annotations

from .....dialects import top
from ...function_call import attributes_of
from ...graph_writer import GraphWriter


def _roi_align(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    return graph.node(
        "RoiAlign",
        *op.inputs,
        mode=given["mode"],
        output_height=given["height"],
        output_width=given["width"],
        sampling_ratio=given["samples"],
        spatial_scale=given["scale"],
        coordinate_transformation_mode="half_pixel" if given["half_pixel"] else "output_half_pixel",
    )


def _max_roi_pool(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    shape = [given["height"], given["width"]]
    return graph.node("MaxRoiPool", *op.inputs, pooled_shape=shape, spatial_scale=given["scale"])


EXPORTERS = {"roi_align": _roi_align, "max_roi_pool": _max_roi_pool}
"""The exporters of this family, by the function's name."""
