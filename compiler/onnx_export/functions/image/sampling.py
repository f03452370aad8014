"""Exports the sampling of images at places that are computed."""

from __future__ import annotations

from .....dialects import top
from ...function_call import attributes_of
from ...graph_writer import GraphWriter

_NAMED_SINCE = 20
"""The opset from which on the modes are called linear and cubic, and images may have three axes."""


def _grid_sample(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    return graph.node(
        "GridSample",
        *op.inputs,
        since=_NAMED_SINCE,
        mode=given["mode"],
        padding_mode=given["padding"],
        align_corners=int(given["align_corners"]),
    )


EXPORTERS = {"grid_sample": _grid_sample}
"""The exporters of this family, by the function's name."""
