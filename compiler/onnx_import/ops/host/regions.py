"""Imports pools of regions of images: RoiAlign, MaxRoiPool."""

from __future__ import annotations

from collections.abc import Sequence

from ...graph.builder import GraphBuilder
from ...graph.call import call
from ...graph.node import Node
from ...graph.operator import Operator
from ...graph.value import Value


def _roi_align(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import RoiAlign; before opset 16 regions are not moved by half a pixel."""
    default = "half_pixel" if node.opset >= 16 else "output_half_pixel"
    mode = node.string("coordinate_transformation_mode", default)
    if mode not in ("half_pixel", "output_half_pixel"):
        raise node.error(
            f"coordinate_transformation_mode must be half_pixel or output_half_pixel, it is '{mode}'"
        )
    return [
        call(
            node,
            builder,
            "roi_align",
            *(node.input(index) for index in range(3)),
            mode=node.string("mode", "avg").lower(),
            height=node.integer("output_height", 1),
            width=node.integer("output_width", 1),
            samples=node.integer("sampling_ratio", 0),
            scale=node.real("spatial_scale", 1.0),
            half_pixel=mode == "half_pixel",
        )
    ]


def _max_roi_pool(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    shape = node.integers("pooled_shape") or []
    if len(shape) != 2:
        raise node.error(f"pooled_shape must be height and width, it is {shape}")
    height, width = shape
    scale = node.real("spatial_scale", 1.0)
    operands = (node.input(0), node.input(1))
    return [call(node, builder, "max_roi_pool", *operands, height=height, width=width, scale=scale)]


OPERATORS = {
    "RoiAlign": Operator(_roi_align, "host"),
    "MaxRoiPool": Operator(_max_roi_pool, "host"),
}
"""The ops of this family."""
