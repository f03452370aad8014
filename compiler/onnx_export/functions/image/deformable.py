"""Exports deformable convolutions."""

from __future__ import annotations

from .....dialects import top
from .....dialects.quant.element_type import shape_of
from ...function_call import attributes_of, lists_of
from ...graph_writer import GraphWriter


def _deform_conv(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    return graph.node(
        "DeformConv",
        *op.inputs,
        kernel_shape=shape_of(op.inputs[1])[2:],
        group=given["group"],
        offset_group=given["offset_group"],
        **lists_of(op, "strides", "dilations", "pads"),
    )


EXPORTERS = {"deform_conv": _deform_conv}
"""The exporters of this family, by the function's name."""
