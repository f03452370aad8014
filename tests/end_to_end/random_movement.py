"""Nodes of random networks that move elements: concatenations, slices, padding, gathers, shuffles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

if TYPE_CHECKING:
    from .random_graph import Graph


def concat(graph: Graph, x: str) -> str:
    """Concat along any axis, with itself, another value or a constant."""
    shape = graph.values[x]
    axis = graph.integer(0, len(shape) - 1)

    def beside(other: tuple[int, ...]) -> tuple[int, ...]:
        return (len(other), *other[:axis], *other[axis + 1 :])

    fitting = [name for name, other in graph.values.items() if beside(other) == beside(shape)]
    other = graph.choose(*fitting)
    if graph.choose(True, False, False):
        size = graph.integer(1, 5)
        other = graph.weight(*shape[:axis], size, *shape[axis + 1 :])
    inputs = graph.choose([x, other], [other, x], [x, other, x])
    made = graph.infer("Concat", inputs, axis=graph.choose(axis, axis - len(shape)))
    return made if made in graph.values else x


def cut(graph: Graph, x: str) -> str:
    """Slice with any steps, or one part of a Split."""
    shape = graph.values[x]
    axis = graph.integer(0, len(shape) - 1)
    size = shape[axis]
    if size > 1 and graph.choose(True, False, False):
        at = graph.integer(1, size - 1)
        parts = graph.constant([at, size - at], np.int64)
        return graph.split(x, parts, axis, [at, size - at], graph.integer(0, 1))
    axes = sorted(graph.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1)))
    starts, ends, steps = [], [], []
    for each in axes:
        step = graph.choose(1, 1, 2, 3, -1, -2)
        low, high = sorted((graph.integer(0, shape[each] - 1), graph.integer(0, shape[each] - 1)))
        starts.append(low if step > 0 else high)
        ends.append(high + 1 if step > 0 else (low - 1 if low else -shape[each] - 1))
        steps.append(step)
    lists = [graph.constant(values, np.int64) for values in (starts, ends, axes, steps)]
    return graph.infer("Slice", [x, *lists])


def pad(graph: Graph, x: str) -> str:
    """Pad in any mode, with some pads negative."""
    shape = graph.values[x]
    mode = graph.choose("constant", "constant", "reflect", "edge")
    low = [graph.integer(0, min(3, size - 1)) for size in shape]
    high = [graph.integer(0, min(3, size - 1)) for size in shape]
    if mode == "constant":
        axis = graph.integer(0, len(shape) - 1)
        high[axis] = graph.integer(-(shape[axis] - 1), 3)
        low = [graph.integer(0, 3) for _ in shape]
    inputs = [x, graph.constant([*low, *high], np.int64)]
    if mode == "constant" and graph.choose(True, False):
        inputs.append(graph.constant(graph.choose(0.0, 0.5, -1.0), np.float32))
    return graph.infer("Pad", inputs, mode=mode)


def gather(graph: Graph, x: str) -> str:
    """Gather with a constant index of any rank, Expand, or Tile."""
    shape = graph.values[x]
    axis = graph.integer(0, len(shape) - 1)
    kind = graph.choose("Gather", "Gather", "Tile", "Expand")
    if kind == "Tile":
        repeats = [graph.choose(1, 1, 2) for _ in shape]
        return graph.infer("Tile", [x, graph.constant(repeats, np.int64)])
    if kind == "Expand":
        wanted = [graph.integer(1, 4) if size == 1 else graph.choose(1, size) for size in shape]
        return graph.infer("Expand", [x, graph.constant(wanted, np.int64)])
    indices = graph.draw(
        st.lists(st.integers(-shape[axis], shape[axis] - 1), min_size=1, max_size=6)
    )
    index: Any = indices
    if len(shape) > 1 and graph.choose(True, False, False):
        index = indices[0]
    return graph.infer("Gather", [x, graph.constant(index, np.int64)], axis=axis)


def shuffle(graph: Graph, x: str) -> str:
    """Transpose, DepthToSpace, SpaceToDepth, or a shuffle of the channels."""
    shape = graph.values[x]
    order = graph.draw(st.permutations(range(len(shape))))
    block = graph.choose(2, 3)
    if len(shape) == 4 and shape[1] % block**2 == 0:
        return graph.infer("DepthToSpace", [x], blocksize=block, mode=graph.choose("DCR", "CRD"))
    if len(shape) == 4 and shape[2] % block == shape[3] % block == 0:
        return graph.infer("SpaceToDepth", [x], blocksize=block)
    if len(shape) == 4 and shape[1] % block == 0:
        n, c, h, w = shape
        split = graph.constant([n, block, c // block, h, w], np.int64)
        parts = graph.infer("Reshape", [x, split])
        moved = graph.infer("Transpose", [parts], perm=[0, 2, 1, 3, 4])
        return graph.infer("Reshape", [moved, graph.constant([n, c, h, w], np.int64)])
    return graph.infer("Transpose", [x], perm=order)
