"""Exports the ops that move elements."""

from __future__ import annotations

from ....dialects import top
from ....dialects.quant.element_type import shape_of
from ..graph_writer import GraphWriter


def _reshape(op: top.ReshapeOp, graph: GraphWriter) -> str:
    shape = shape_of(op.output)
    # Without allowzero a size of 0 stands for that of the operand.
    allow = 1 if 0 in shape else None
    return graph.node("Reshape", op.input, graph.integers(shape, "shape"), allowzero=allow)


def _transpose(op: top.TransposeOp, graph: GraphWriter) -> str:
    permutation = op.permutation.get_values()
    return graph.node("Transpose", op.input, perm=permutation or None)


def _concat(op: top.ConcatOp, graph: GraphWriter) -> str:
    return graph.node("Concat", *op.inputs, axis=op.axis.value.data)


def _slice(op: top.SliceOp, graph: GraphWriter) -> str:
    """Export to Slice, along the axes that it cuts."""
    shape, axes, cuts = shape_of(op.input), [], []
    bounds = zip(op.starts.get_values(), op.sizes.get_values(), op.steps.get_values(), strict=True)
    for axis, (start, size, step) in enumerate(bounds):
        if (start, size, step) == (0, shape[axis], 1):
            continue
        end = start + size * step
        if size == 0:
            start, end, step = 0, 0, 1
        elif end < 0:
            # A negative end counts from the last element on; this one lies before the first.
            end = -shape[axis] - 1
        axes.append(axis)
        cuts.append((start, end, step))
    if not axes:
        return graph.node("Identity", op.input)
    starts, ends, steps = zip(*cuts, strict=True)
    return graph.node(
        "Slice",
        op.input,
        graph.integers(starts, "starts"),
        graph.integers(ends, "ends"),
        graph.integers(axes, "axes"),
        *([] if set(steps) == {1} else [graph.integers(steps, "steps")]),
    )


def _pad(op: top.PadOp, graph: GraphWriter) -> str:
    pads = graph.integers((*op.low.get_values(), *op.high.get_values()), "pads")
    return graph.node("Pad", op.input, pads, graph.number(op.value.value.data, op.input, "value"))


def _gather(op: top.GatherOp, graph: GraphWriter) -> str:
    indices = graph.integers(op.indices.get_values(), "indices")
    return graph.node("Gather", op.input, indices, axis=op.axis.value.data)


EXPORTERS = {
    top.ReshapeOp: _reshape,
    top.TransposeOp: _transpose,
    top.ConcatOp: _concat,
    top.SliceOp: _slice,
    top.PadOp: _pad,
    top.GatherOp: _gather,
}
"""The exporters of this family."""
