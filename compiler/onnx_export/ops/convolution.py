"""Exports the convolution."""

from __future__ import annotations

from ....dialects import top
from ....dialects.quant.element_type import shape_of
from ..graph_writer import GraphWriter


def _conv2d(op: top.Conv2dOp, graph: GraphWriter) -> str:
    return graph.node(
        "Conv",
        op.input,
        op.weight,
        *([] if op.bias is None else [op.bias]),
        kernel_shape=shape_of(op.weight)[2:],
        strides=op.strides.get_values(),
        pads=op.pads.get_values(),
        dilations=op.dilations.get_values(),
        group=op.groups.value.data,
    )


EXPORTERS = {top.Conv2dOp: _conv2d}
"""The exporters of this family."""
