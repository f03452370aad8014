"""Imports ops that only change shapes or the order of elements: Reshape, Flatten, Squeeze,
Unsqueeze, Transpose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..graph.builder import GraphBuilder
from ..graph.node import Node
from ..graph.operator import Operator
from ..graph.value import Value, shape_of
from ..model.input_shapes import BatchChange


def _reshape(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Reshape; a size of 0 copies the input's dimension (unless allowzero), -1 takes the elements that are
    left.
    """
    value = node.input(0)
    shape = shape_of(value)
    wanted = node.integers("shape") if node.opset < 5 else node.integers_of(1, "shape")
    if wanted is None:
        raise node.error("its shape is missing")
    if builder.batch is not None:
        wanted = _with_batch(wanted, shape, builder.batch)
    target = _complete(node, wanted, shape)
    return [_emit(node, builder, value, target)]


def _emit(node: Node, builder: GraphBuilder, value: Value, shape: Sequence[int]) -> Value:
    return builder.reshape(value, tuple(shape), node.output)


def _with_batch(wanted: list[int], shape: Sequence[int], batch: BatchChange) -> list[int]:
    """Change a constant shape that was written for the model's batch size to the new batch size.

    The leading dimension is scaled if the number of elements demands it. It is also scaled if the shape has a -1, which
    would otherwise absorb the samples: if it is the old batch size, and the input's leading dimension is the new one.
    """
    if not wanted or not shape or wanted[0] < 1:
        return wanted
    lead, rest = wanted[0], wanted[1:]
    if -1 in rest:
        return [batch.new, *rest] if lead == batch.old and shape[0] == batch.new else wanted
    if 0 in rest:
        rest = [
            shape[i] if size == 0 and i < len(shape) else size for i, size in enumerate(wanted)
        ][1:]
    fits_old = math.prod([lead, *rest]) * batch.new == math.prod(shape) * batch.old
    if batch.new != batch.old and fits_old and lead * batch.new % batch.old == 0:
        return [lead * batch.new // batch.old, *rest]
    return wanted


def _complete(node: Node, wanted: Sequence[int], shape: Sequence[int]) -> tuple[int, ...]:
    allow_zero = node.opset >= 14 and bool(node.integer("allowzero", 0))
    sizes = []
    for index, size in enumerate(wanted):
        if size == 0 and not allow_zero:
            if index >= len(shape):
                raise node.error(f"shape {list(wanted)} copies axis {index} of {list(shape)}")
            size = shape[index]
        sizes.append(size)
    elements, known = math.prod(shape), math.prod(size for size in sizes if size != -1)
    if sizes.count(-1) == 1 and known and elements % known == 0:
        sizes[sizes.index(-1)] = elements // known
    if any(size < 0 for size in sizes) or math.prod(sizes) != elements:
        raise node.error(
            f"{list(shape)} cannot be reshaped to {list(wanted)}",
            "check --batch and --input-shape: the shape may have been written for other sizes",
        )
    return tuple(sizes)


def _flatten(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    shape = shape_of(value)
    given, rank = node.integer("axis", 1), len(shape)
    axis = rank if given == rank else node.axis(given, rank)
    return [_emit(node, builder, value, (math.prod(shape[:axis]), math.prod(shape[axis:])))]


def _axes(node: Node) -> list[int] | None:
    return node.integers("axes") if node.opset < 13 else node.integers_of(1, "input axes")


def _squeeze(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    shape = shape_of(value)
    given = _axes(node)
    if given is None:
        axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    else:
        axes = node.axes(given, len(shape))
    for axis in axes:
        if shape[axis] != 1:
            raise node.error(f"axis {axis} of {list(shape)} is not of size 1")
    target = [size for axis, size in enumerate(shape) if axis not in axes]
    return [_emit(node, builder, value, target)]


def _unsqueeze(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    given = _axes(node)
    if given is None:
        raise node.error("its axes are missing")
    shape = list(shape_of(value))
    for axis in node.axes(given, len(shape) + len(given)):
        shape.insert(axis, 1)
    return [_emit(node, builder, value, shape)]


def _transpose(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    rank = len(shape_of(value))
    permutation = node.integers("perm")
    if permutation is None:
        permutation = list(range(rank))[::-1]
    if sorted(permutation) != list(range(rank)):
        raise node.error(f"perm {permutation} is no permutation of {rank} axes")
    return [builder.transpose(value, permutation, node.output)]


OPERATORS = {
    "Reshape": Operator(_reshape, "transfers"),
    "Flatten": Operator(_flatten, "transfers"),
    "Squeeze": Operator(_squeeze, "transfers"),
    "Unsqueeze": Operator(_unsqueeze, "transfers"),
    "Transpose": Operator(_transpose, "transfers"),
}
"""The ops of this family; those that only change shapes are removed if the layout allows it."""
