"""Windows of images: their greatest elements with positions, and windows that are put back into an image."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np

from ....storage import integer_range, name_of
from ....windows.sliding_windows import conv_output_size, pool_output_size
from ...function import (
    INDICES,
    NUMBERS,
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    check_rank,
    check_shape,
    check_storage,
    stored,
    taken,
    wide,
)

_LIST = Parameter(int, (), is_list=True)


def _per_axis(attributes: Attributes, name: str, rank: int, default: int) -> tuple[int, ...]:
    """Return an attribute with `rank` numbers. Raises FunctionError if it has more or less."""
    values = attributes[name] or (default,) * rank
    if len(values) != rank:
        raise FunctionError(f"{name} must be {rank} numbers, got {len(values)}")
    return values


def _window(attributes: Attributes, rank: int) -> list[tuple[int, int, int, int]]:
    """Return stride, dilation, begin and end of the padding of each axis."""
    pads = _per_axis(attributes, "pads", 2 * rank, 0)
    return list(
        zip(
            _per_axis(attributes, "strides", rank, 1),
            _per_axis(attributes, "dilations", rank, 1),
            pads[:rank],
            pads[rank:],
            strict=True,
        )
    )


def _positions(
    sizes: tuple[int, ...], kernel: tuple[int, ...], attributes: Attributes, ceil_mode: bool
) -> tuple[int, ...]:
    """Return how many positions the window has along each axis. Raises FunctionError if it fits nowhere."""
    window = _window(attributes, len(sizes))
    try:
        counts = tuple(
            pool_output_size(size, k, *each, ceil_mode)
            if ceil_mode
            else conv_output_size(size, k, *each)
            for size, k, each in zip(sizes, kernel, window, strict=True)
        )
    except ValueError as error:
        raise FunctionError(str(error)) from None
    if min(counts) < 1:
        raise FunctionError(f"a window {list(kernel)} does not fit an image {list(sizes)}")
    return counts


def _infer_pool(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    check_storage("x", x, NUMBERS)
    kernel = attributes["kernel"]
    check_rank("x", x, len(kernel) + 2)
    counts = _positions(x.shape[2:], kernel, attributes, attributes["ceil_mode"])
    shape = (*x.shape[:2], *counts)
    return [TensorKind(shape, x.storage), TensorKind(shape, "i64")]


def _max_pool(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Return the greatest elements and where they are, of equal ones the first; NaN is the greatest."""
    (x,) = arrays
    kernel, sizes = attributes["kernel"], x.shape[2:]
    window = _window(attributes, len(kernel))
    counts = _positions(sizes, kernel, attributes, attributes["ceil_mode"])
    storage = name_of(x.dtype)
    least = integer_range(storage)[0] if x.dtype.kind in "iu" else -np.inf
    best = np.full((*x.shape[:2], *counts), least, x.dtype)
    where = np.full(best.shape, -1, np.int64)
    steps = np.cumprod([1, *sizes[:-1]]) if attributes["column_major"] else None
    if steps is None:
        steps = np.cumprod([1, *sizes[:0:-1]])[::-1]
    for tap in product(*map(range, kernel)):
        places, inside, index = [], [], np.zeros((), np.int64)
        for axis, (at, (stride, dilation, begin, _)) in enumerate(zip(tap, window, strict=True)):
            place = np.arange(counts[axis]) * stride + at * dilation - begin
            there = (place >= 0) & (place < sizes[axis])
            place = np.where(there, place, 0)
            index = index[..., None] + place * steps[axis]
            places.append(place)
            inside.append(there)
        valid = np.ones((), np.bool_)
        for there in inside:
            valid = valid[..., None] & there
        values = x[(slice(None), slice(None), *np.ix_(*places))]
        better = valid & ((values > best) | (where < 0) | ((values != values) & (best == best)))
        best = np.where(better, values, best)
        where = np.where(better, index, where)
    images = np.arange(prod(x.shape[:2])).reshape(*x.shape[:2], *(1,) * len(kernel))
    return [best, np.where(where < 0, where, where + images * prod(sizes))]


def _infer_unpool(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    x, places = taken(operands, "x", "places")
    check_storage("x", x, NUMBERS)
    check_storage("places", places, INDICES)
    check_shape("places", places, x.shape)
    check_rank("x", x, len(attributes["kernel"]) + 2)
    image = _unpooled(x.shape, attributes)
    shape = attributes["shape"] or image
    if len(shape) != len(image) or any(a < b for a, b in zip(shape, image, strict=True)):
        raise FunctionError(f"shape {list(shape)} is less than that of the images, {list(image)}")
    return [TensorKind(tuple(shape), x.storage)]


def _unpooled(shape: tuple[int, ...], attributes: Attributes) -> tuple[int, ...]:
    """Return the shape of images whose windows have made `shape`."""
    kernel = attributes["kernel"]
    window = _window({**attributes, "dilations": ()}, len(kernel))
    sizes = tuple(
        (count - 1) * stride - begin - end + k
        for count, k, (stride, _, begin, end) in zip(shape[2:], kernel, window, strict=True)
    )
    if min(sizes) < 1:
        raise FunctionError(f"the images would have the sizes {list(sizes)}")
    return (*shape[:2], *sizes)


def _max_unpool(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Put elements where they were in the images, zeros elsewhere; then images into the corner of a greater shape."""
    x, places = arrays
    image = _unpooled(x.shape, attributes)
    flat, count = np.zeros(prod(image), x.dtype), prod(image)
    if places.size and not (places.min() >= 0 and places.max() < count):
        raise FunctionError(f"a place is not from 0 to {count - 1}, the elements of {list(image)}")
    flat[places.reshape(-1)] = x.reshape(-1)
    result = np.zeros(attributes["shape"] or image, x.dtype)
    result[tuple(slice(size) for size in image)] = flat.reshape(image)
    return [result]


def _infer_col2im(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    check_storage("x", x, NUMBERS)
    check_rank("x", x, 3)
    image, kernel = attributes["image"], attributes["kernel"]
    if not image or len(image) != len(kernel) or min(*image, *kernel) < 1:
        raise FunctionError(
            f"image {list(image)} and kernel {list(kernel)} must be sizes of the same axes"
        )
    counts = _positions(image, kernel, attributes, False)
    if x.shape[1] % prod(kernel) or x.shape[2] != prod(counts):
        raise FunctionError(
            f"x must have shape [N, C · {prod(kernel)}, {prod(counts)}], got {list(x.shape)}"
        )
    return [TensorKind((x.shape[0], x.shape[1] // prod(kernel), *image), x.storage)]


def _col2im(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Add each tap of all windows to the pixels that it is of; floats in f64, rounded once."""
    (x,) = arrays
    image, kernel = attributes["image"], attributes["kernel"]
    window = _window(attributes, len(kernel))
    counts = _positions(image, kernel, attributes, False)
    columns = wide(x).reshape(x.shape[0], -1, *kernel, *counts)
    padded = [size + begin + end for size, (_, _, begin, end) in zip(image, window, strict=True)]
    total = np.zeros((*columns.shape[:2], *padded), columns.dtype)
    for tap in product(*map(range, kernel)):
        pixels = tuple(
            slice(at * dilation, at * dilation + (count - 1) * stride + 1, stride)
            for at, count, (stride, dilation, _, _) in zip(tap, counts, window, strict=True)
        )
        total[(slice(None), slice(None), *pixels)] += columns[(slice(None), slice(None), *tap)]
    inner = tuple(
        slice(begin, begin + size) for size, (_, _, begin, _) in zip(image, window, strict=True)
    )
    return [stored(total[(slice(None), slice(None), *inner)], name_of(x.dtype))]


_KERNEL = Parameter(int, is_list=True)
FUNCTIONS = (
    Function(
        "max_pool",
        "The greatest element of each window of x [N, C, spatial...], and its place among all elements of x; with "
        "`column_major` places count along the first spatial axis first.",
        _infer_pool,
        _max_pool,
        {
            "kernel": _KERNEL,
            "strides": _LIST,
            "dilations": _LIST,
            "pads": _LIST,
            "ceil_mode": Parameter(bool, False),
            "column_major": Parameter(bool, False),
        },
        compares=True,
        example=((TensorKind((1, 2, 6, 6), "f32"),), {"kernel": (2, 2), "strides": (2, 2)}),
        advice="leave out the places: engines compute the greatest elements of floats",
    ),
    Function(
        "max_unpool",
        "Images with the elements of x at their places, and 0 elsewhere: what max_pool has taken them from, in the "
        "first corner of a tensor of `shape`.",
        _infer_unpool,
        _max_unpool,
        {"kernel": _KERNEL, "strides": _LIST, "pads": _LIST, "shape": _LIST},
        example=(
            (TensorKind((1, 1, 2, 2), "f32"), TensorKind((1, 1, 2, 2), "i64")),
            {"kernel": (2, 2), "strides": (2, 2)},
        ),
    ),
    Function(
        "col2im",
        "Images of the sizes `image` from their windows x [N, C · taps, windows]: each pixel is the sum of what stands "
        "for it in all windows.",
        _infer_col2im,
        _col2im,
        {
            "image": Parameter(int, is_list=True),
            "kernel": _KERNEL,
            "strides": _LIST,
            "dilations": _LIST,
            "pads": _LIST,
        },
        example=((TensorKind((1, 8, 9), "f32"),), {"image": (4, 4), "kernel": (2, 2)}),
    ),
)
"""The functions of this family."""
