"""Exports functions of windows of images."""

from __future__ import annotations

from .....dialects import top
from ...function_call import attributes_of, lists_of, of_several
from ...graph_writer import GraphWriter


def _max_pool(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    return of_several(
        op,
        graph,
        "MaxPool",
        op.inputs,
        kernel_shape=given["kernel"],
        ceil_mode=int(given["ceil_mode"]),
        storage_order=int(given["column_major"]),
        **lists_of(op, "strides", "dilations", "pads"),
    )


def _max_unpool(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    shape = [graph.integers(given["shape"], "shape")] if given["shape"] else []
    lists = lists_of(op, "strides", "pads")
    return graph.node("MaxUnpool", *op.inputs, *shape, kernel_shape=given["kernel"], **lists)


def _col2im(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    image, kernel = (graph.integers(given[name], name) for name in ("image", "kernel"))
    lists = lists_of(op, "strides", "dilations", "pads")
    return graph.node("Col2Im", *op.inputs, image, kernel, **lists)


EXPORTERS = {"max_pool": _max_pool, "max_unpool": _max_unpool, "col2im": _col2im}
"""The exporters of this family, by the function's name."""
