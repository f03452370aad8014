"""Ops that move elements, and those that make tensors of a shape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import helper

from tests.onnx_fuzz.draw import Draw

TYPES = (None, None, None, np.int64, np.int32, np.bool_, np.uint8)
"""Types of what is moved; None stands for the graph's floats."""
INDICES = (np.int32, np.int64)


def moved(draw: Draw, ranks: tuple[int, int] = (1, 5)) -> str:
    """Return an operand of any type."""
    return draw.operand(draw.choice(TYPES), ranks)


def indices(draw: Draw, shape: tuple[int, ...], size: int) -> np.ndarray:
    """Return random indices of an axis, counted from either end."""
    return draw.rng.integers(-size, size, shape).astype(draw.choice(INDICES))


def concat(draw: Draw) -> None:
    """Two to four tensors that agree in all axes but one."""
    first = moved(draw)
    array = draw.arrays[first]
    axis = draw.axis(first)
    others = []
    for _ in range(draw.integer(0, 3)):
        shape = list(array.shape)
        shape[axis] = draw.integer(1, 4)
        others.append(draw.operand(array.dtype, shape=shape))
    draw.node("Concat", [first, *others], axis=axis)


def split(draw: Draw) -> None:
    """Into parts of given sizes, or as equal ones as there can be."""
    operand = moved(draw)
    axis = draw.axis(operand)
    size = draw.arrays[operand].shape[axis]
    count = draw.integer(1, min(size, 4))
    cuts = np.sort(draw.rng.permutation(np.arange(1, size))[: count - 1])
    sizes = np.diff([0, *cuts, size])
    if draw.chance(0.6):
        draw.node("Split", [operand, draw.constant(sizes)], outputs=count, axis=axis)
    elif draw.opset >= 18:
        draw.node("Split", [operand], outputs=count, axis=axis, num_outputs=count)
    elif size % count == 0:
        draw.node("Split", [operand], outputs=count, axis=axis)


def slice_(draw: Draw) -> None:
    """Bounds inside and outside the tensor, steps of either sign."""
    operand = moved(draw)
    array = draw.arrays[operand]
    axes = draw.axes(operand, least=1)
    starts, ends, steps = [], [], []
    for axis in axes:
        size = array.shape[axis]
        step = draw.choice((1, 1, 2, 3, -1, -2))
        low, high = draw.integer(-size - 2, size - 1), draw.choice((size, size + 3, 2**31, -1))
        starts.append(low if step > 0 else draw.choice((-1, size, size - 1)))
        ends.append(high if step > 0 else draw.choice((-size - 1, -(2**31), 0)))
        steps.append(step)
    inputs = [operand, draw.constant(starts), draw.constant(ends), draw.constant(axes)]
    draw.node("Slice", [*inputs, draw.constant(steps)] if draw.chance(0.8) else inputs)


def gather(draw: Draw) -> None:
    """Along an axis, by indices of any rank."""
    operand = moved(draw)
    axis = draw.axis(operand)
    chosen = indices(draw, draw.shape((0, 2)), draw.arrays[operand].shape[axis])
    draw.node("Gather", [operand, draw.new(chosen)], axis=axis)


def gather_elements(draw: Draw) -> None:
    """One index for each result."""
    operand = moved(draw)
    axis = draw.axis(operand)
    shape = list(draw.arrays[operand].shape)
    size = shape[axis]
    shape[axis] = draw.integer(1, 5)
    draw.node("GatherElements", [operand, draw.new(indices(draw, tuple(shape), size))], axis=axis)


def gather_nd(draw: Draw) -> None:
    """Indices of several axes, after axes that go along."""
    operand = moved(draw, (1, 4))
    shape = draw.arrays[operand].shape
    batch = draw.integer(0, len(shape) - 1)
    depth = draw.integer(1, len(shape) - batch)
    lead = (*shape[:batch], *draw.shape((1, 2)))
    columns = [draw.rng.integers(-size, size, lead) for size in shape[batch : batch + depth]]
    chosen = np.stack(columns, axis=-1).astype(np.int64)
    draw.node("GatherND", [operand, draw.new(chosen)], batch_dims=batch if batch else None)


def scatter_elements(draw: Draw) -> None:
    """Different places along an axis, replaced or reduced."""
    operand = draw.operand(None, (1, 4))
    array = draw.arrays[operand]
    axis = draw.axis(operand)
    places = np.argsort(draw.rng.random(array.shape), axis=axis)
    kept = draw.integer(1, array.shape[axis])
    places = np.take(places, range(kept), axis=axis).astype(draw.choice(INDICES))
    updates = draw.operand(array.dtype, shape=places.shape)
    reductions = (
        (None, "none", "add", "mul") if draw.opset < 18 else (None, "add", "mul", "max", "min")
    )
    draw.node(
        "ScatterElements",
        [operand, draw.new(places), updates],
        axis=axis,
        reduction=draw.choice(reductions) if draw.opset >= 16 else None,
    )


def scatter_nd(draw: Draw) -> None:
    """Different rows, replaced or reduced."""
    operand = draw.operand(None, (1, 4))
    array = draw.arrays[operand]
    rows = draw.rng.permutation(array.shape[0])[: draw.integer(1, array.shape[0])]
    updates = draw.operand(array.dtype, shape=(len(rows), *array.shape[1:]))
    draw.node(
        "ScatterND",
        [operand, draw.new(rows[:, None].astype(np.int64)), updates],
        reduction=draw.choice((None, "add", "mul")) if draw.opset >= 16 else None,
    )


def transpose(draw: Draw) -> None:
    """Any order of axes, or the reverse one."""
    operand = moved(draw, (0, 5))
    order = [int(axis) for axis in draw.rng.permutation(draw.arrays[operand].ndim)]
    draw.node("Transpose", [operand], perm=order if order and draw.chance(0.85) else None)


def reshape(draw: Draw) -> None:
    """Any factors of the number of elements, one of them left open, sizes kept by a zero."""
    operand = moved(draw, (0, 5))
    array = draw.arrays[operand]
    shape, rest = [], array.size
    while rest > 1 and len(shape) < 4 and draw.chance(0.8):
        factors = [size for size in range(1, rest + 1) if rest % size == 0]
        shape.append(draw.choice(factors))
        rest //= shape[-1]
    shape.append(rest)
    if array.ndim and shape[0] == array.shape[0] and draw.chance(0.5):
        shape[0] = 0
    if draw.chance(0.4):
        shape[-1] = -1
    draw.node("Reshape", [operand, draw.constant(shape)])


def flatten(draw: Draw) -> None:
    """Into a matrix."""
    operand = draw.operand(None)
    rank = draw.arrays[operand].ndim
    draw.node("Flatten", [operand], axis=draw.choice((None, draw.integer(-rank, rank))))


def squeeze(draw: Draw) -> None:
    """All axes of size 1, or some."""
    operand = moved(draw, (0, 5))
    ones = [axis for axis, size in enumerate(draw.arrays[operand].shape) if size == 1]
    if ones and draw.chance(0.7):
        draw.node("Squeeze", [operand, draw.constant([draw.choice(ones)])])
    else:
        draw.node("Squeeze", [operand])


def unsqueeze(draw: Draw) -> None:
    """New axes at any places."""
    operand = moved(draw, (0, 4))
    rank = draw.arrays[operand].ndim
    count = draw.integer(1, 2)
    chosen = draw.rng.permutation(rank + count)[:count]
    draw.node("Unsqueeze", [operand, draw.constant(chosen)])


def expand(draw: Draw) -> None:
    """Axes of size 1 repeated, and new ones in front."""
    operand = moved(draw, (0, 4))
    shape = [
        draw.integer(1, 4) if size == 1 else draw.choice((1, size))
        for size in draw.arrays[operand].shape
    ]
    lead = [draw.integer(1, 3)] if draw.chance(0.3) else []
    draw.node("Expand", [operand, draw.constant([*lead, *shape])])


def tile(draw: Draw) -> None:
    """Repeats along each axis."""
    operand = moved(draw)
    repeats = [draw.integer(1, 2) for _ in draw.arrays[operand].shape]
    draw.node("Tile", [operand, draw.constant(repeats)])


def pad(draw: Draw) -> None:
    """All modes; amounts below zero crop."""
    operand = draw.operand(None, (1, 5))
    array = draw.arrays[operand]
    modes = (
        ("constant", "edge", "reflect")
        if draw.opset < 19
        else ("constant", "edge", "reflect", "wrap")
    )
    mode = draw.choice(modes)
    most = 2 if mode == "constant" else min(2, min(array.shape) - 1)
    least = -1 if mode == "constant" and min(array.shape) > 2 else 0
    amounts = [draw.integer(least, max(most, 0)) for _ in range(2 * array.ndim)]
    inputs = [operand, draw.constant(amounts)]
    if mode == "constant" and draw.chance(0.5):
        inputs.append(draw.new(np.asarray(draw.number(-2, 2), array.dtype)))
    draw.node("Pad", inputs, mode=mode)


def depth_to_space(draw: Draw) -> None:
    """Both orders of the depth."""
    block = draw.integer(2, 3)
    shape = (
        draw.integer(1, 2),
        block * block * draw.integer(1, 2),
        draw.integer(1, 4),
        draw.integer(1, 4),
    )
    draw.node(
        "DepthToSpace",
        [draw.operand(None, (4, 4), shape=shape)],
        blocksize=block,
        mode=draw.choice((None, "DCR", "CRD")),
    )


def space_to_depth(draw: Draw) -> None:
    """Blocks of the plane into the depth."""
    block = draw.integer(2, 3)
    shape = (
        draw.integer(1, 2),
        draw.integer(1, 3),
        block * draw.integer(1, 3),
        block * draw.integer(1, 3),
    )
    draw.node("SpaceToDepth", [draw.operand(None, (4, 4), shape=shape)], blocksize=block)


def triangle(draw: Draw) -> None:
    """Either triangle, from any diagonal."""
    if draw.opset >= 14:
        operand = draw.operand(draw.choice((None, np.int64)), (2, 4))
        inputs = [operand]
        if draw.chance(0.6):
            inputs.append(draw.constant(draw.integer(-3, 3), np.int64))
        draw.node("Trilu", inputs, upper=draw.choice((None, 0, 1)))


def shape(draw: Draw) -> None:
    """The sizes of some axes."""
    operand = moved(draw, (1, 5))
    bounds = (
        {"start": draw.choice((None, draw.axis(operand))), "end": draw.choice((None, -1))}
        if draw.opset >= 15
        else {}
    )
    draw.node("Shape", [operand], **bounds)


def size(draw: Draw) -> None:
    """The number of elements."""
    draw.node("Size", [moved(draw, (0, 5))])


def one_hot(draw: Draw) -> None:
    """Places outside the depth are off."""
    depth = draw.integer(2, 5)
    places = draw.new(draw.rng.integers(-depth, depth, draw.shape((0, 3))).astype(np.int64))
    values = draw.constant([draw.number(-1, 0), draw.number(0, 2)], np.float32)
    draw.node(
        "OneHot",
        [places, draw.constant(depth, np.int64), values],
        axis=draw.choice((None, -1, 0)),
    )


def eye_like(draw: Draw) -> None:
    """Any diagonal, in a type of its own."""
    operand = draw.operand(draw.choice((None, np.int32)), (2, 2))
    to = draw.choice((None, helper.np_dtype_to_tensor_dtype(np.dtype(np.float32))))
    draw.node("EyeLike", [operand], k=draw.choice((None, draw.integer(-2, 2))), dtype=to)


def reverse_sequence(draw: Draw) -> None:
    """Samples of different lengths."""
    operand = draw.operand(None, (2, 4))
    batch = draw.choice((0, 1))
    sizes = draw.arrays[operand].shape
    lengths = draw.rng.integers(1, sizes[1 - batch] + 1, sizes[batch]).astype(np.int64)
    draw.node(
        "ReverseSequence", [operand, draw.new(lengths)], batch_axis=batch, time_axis=1 - batch
    )


def constant_of_shape(draw: Draw) -> None:
    """Zeros, or a given value."""
    drawn = draw.values((1,), draw.choice((np.float32, np.int64)))
    value = helper.make_tensor("", helper.np_dtype_to_tensor_dtype(drawn.dtype), [1], drawn)
    draw.node(
        "ConstantOfShape",
        [draw.constant(list(draw.shape((1, 3))))],
        value=value if draw.chance(0.7) else None,
    )


DRAWS: dict[str, Callable[[Draw], None]] = {
    "Concat": concat,
    "ConstantOfShape": constant_of_shape,
    "DepthToSpace": depth_to_space,
    "Expand": expand,
    "EyeLike": eye_like,
    "Flatten": flatten,
    "Gather": gather,
    "GatherElements": gather_elements,
    "GatherND": gather_nd,
    "OneHot": one_hot,
    "Pad": pad,
    "Reshape": reshape,
    "ReverseSequence": reverse_sequence,
    "ScatterElements": scatter_elements,
    "ScatterND": scatter_nd,
    "Shape": shape,
    "Size": size,
    "Slice": slice_,
    "SpaceToDepth": space_to_depth,
    "Split": split,
    "Squeeze": squeeze,
    "Tile": tile,
    "Transpose": transpose,
    "Trilu": triangle,
    "Unsqueeze": unsqueeze,
}
