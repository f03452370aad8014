"""Computes shapes of results from shapes of operands: pure integers, shared by the constructors and the verifiers of
ops.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ...backends.numerics.windows.sliding_windows import pool_output_size, window_extent

Shape = tuple[int, ...]


class ShapeError(ValueError):
    """Shapes that do not fit together; the message names what was given and what was expected."""


def window_output_size(
    size: int,
    kernel: int,
    stride: int,
    dilation: int,
    pad_begin: int,
    pad_end: int,
    ceil_mode: bool = False,
) -> int:
    """Return the number of positions of a window along one axis: floor((size + pads − dilation·(kernel − 1) − 1) /
    stride) + 1.

    With `ceil_mode` the division rounds up, so that a window may reach past the padded input, but one that would
    start in the padding at the end is left out (ONNX, MaxPool). Raises ShapeError if not even one window fits, if
    the kernel, stride or dilation is below 1, or if a pad is negative.
    """
    if min(kernel, stride, dilation) < 1 or min(pad_begin, pad_end) < 0:
        raise ShapeError(
            f"kernel {kernel}, stride {stride}, dilation {dilation} must be at least 1, pads "
            f"{pad_begin}, {pad_end} at least 0"
        )
    count = pool_output_size(size, kernel, stride, dilation, pad_begin, pad_end, ceil_mode)
    if count < 1:
        raise ShapeError(
            f"a window of {window_extent(kernel, dilation)} does not fit in {size} elements with "
            f"pads {pad_begin} and {pad_end}"
        )
    return count


def _check_length(what: str, values: Sequence[int], length: int) -> None:
    if len(values) != length:
        raise ShapeError(f"{what} must have {length} numbers, got {list(values)}")


def _windows(
    input: Shape,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    pads: Sequence[int],
    ceil_mode: bool = False,
) -> Shape:
    """Return the output height and width of a window that slides over [N,C,H,W]."""
    if len(input) != 4:
        raise ShapeError(f"input must have shape [N,C,H,W], got {list(input)}")
    for what, values, length in (
        ("kernel", kernel, 2),
        ("strides", strides, 2),
        ("dilations", dilations, 2),
        ("pads", pads, 4),
    ):
        _check_length(what, values, length)
    return tuple(
        window_output_size(
            input[2 + d], kernel[d], strides[d], dilations[d], pads[d], pads[2 + d], ceil_mode
        )
        for d in range(2)
    )


def conv2d_shape(
    input: Shape,
    weight: Shape,
    bias: Shape | None,
    *,
    strides: Sequence[int],
    pads: Sequence[int],
    dilations: Sequence[int],
    groups: int,
) -> Shape:
    """Return the shape [N,O,OH,OW] of the convolution of [N,C,H,W] with weights [O,C/groups,KH,KW] and bias [O]; pads
    are top, left, bottom, right.
    """
    if len(weight) != 4:
        raise ShapeError(f"weight must have shape [O,C/groups,KH,KW], got {list(weight)}")
    size = _windows(input, weight[2:], strides, dilations, pads)
    if groups < 1 or input[1] % groups or weight[0] % groups:
        raise ShapeError(
            f"{groups} groups do not divide {input[1]} input and {weight[0]} output channels"
        )
    if weight[1] * groups != input[1]:
        raise ShapeError(
            f"weight has {weight[1]} input channels per group, the input has {input[1]} channels "
            f"in {groups} groups"
        )
    _check_bias(bias, weight[0])
    return (input[0], weight[0], *size)


def _check_bias(bias: Shape | None, channels: int) -> None:
    if bias is not None and bias != (channels,):
        raise ShapeError(f"bias must have shape [{channels}], got {list(bias)}")


def pool_shape(
    input: Shape,
    *,
    kernel: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[int],
    dilations: Sequence[int],
    ceil_mode: bool = False,
) -> Shape:
    """Return the shape [N,C,OH,OW] of a pool of [N,C,H,W]; pads are top, left, bottom, right, each smaller than the
    window.
    """
    size = _windows(input, kernel, strides, dilations, pads, ceil_mode)
    for d in range(4):
        if pads[d] > dilations[d % 2] * (kernel[d % 2] - 1):
            raise ShapeError(
                f"pad {pads[d]} is not smaller than the window of "
                f"{dilations[d % 2] * (kernel[d % 2] - 1) + 1}"
            )
    return (input[0], input[1], *size)


def broadcast_shape(*shapes: Shape) -> Shape:
    """Return the shape of an element-wise operation by NumPy's rules: shapes are aligned at the last axis, and axes of
    size 1 are repeated.
    """
    rank = max(len(shape) for shape in shapes)
    result: list[int] = []
    for axis in range(-rank, 0):
        sizes = {shape[axis] for shape in shapes if len(shape) >= -axis} - {1}
        if len(sizes) > 1:
            listed = " and ".join(str(list(shape)) for shape in shapes)
            raise ShapeError(f"shapes {listed} do not broadcast")
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def matmul_shape(lhs: Shape, rhs: Shape, bias: Shape | None = None) -> Shape:
    """Return the shape of NumPy's matmul: [...,M,K] times [...,K,N] gives [...,M,N]. Leading axes broadcast, and a
    vector counts as a row or column.

    `bias` [N] is added to every row.
    """
    if not lhs or not rhs:
        raise ShapeError("operands must have at least one axis")
    left = (1, *lhs) if len(lhs) == 1 else lhs
    right = (*rhs, 1) if len(rhs) == 1 else rhs
    if left[-1] != right[-2]:
        raise ShapeError(f"lhs has {left[-1]} columns, rhs has {right[-2]} rows")
    if bias is not None:
        if len(rhs) == 1:
            raise ShapeError("a product with a vector takes no bias")
        _check_bias(bias, right[-1])
    leading = broadcast_shape(left[:-2], right[:-2]) if left[:-2] or right[:-2] else ()
    rows = () if len(lhs) == 1 else (left[-2],)
    columns = () if len(rhs) == 1 else (right[-1],)
    return (*leading, *rows, *columns)


def matmul_macs(lhs: Shape, rhs: Shape) -> int:
    """Return the number of multiply-accumulates of the matrix product."""
    return prod(matmul_shape(lhs, rhs)) * lhs[-1]


def reduce_shape(input: Shape, axes: Sequence[int], keepdims: bool) -> Shape:
    """Return the shape of `input` without `axes` (non-negative, ascending); with `keepdims` these have size 1
    instead.
    """
    if list(axes) != sorted(set(axes)):
        raise ShapeError(f"axes must ascend, each once, got {list(axes)}")
    for axis in axes:
        check_axis(axis, len(input))
    if keepdims:
        return tuple(1 if axis in axes else size for axis, size in enumerate(input))
    return tuple(size for axis, size in enumerate(input) if axis not in axes)


def check_axis(axis: int, rank: int) -> None:
    """Raise ShapeError unless 0 <= axis < rank."""
    if not 0 <= axis < rank:
        raise ShapeError(f"axis {axis} is not one of {rank} axes")


def transpose_shape(input: Shape, permutation: Sequence[int]) -> Shape:
    """Return the shape of a transpose: axis i of the result is axis permutation[i] of the input."""
    if sorted(permutation) != list(range(len(input))):
        raise ShapeError(f"permutation {list(permutation)} is none of {len(input)} axes")
    return tuple(input[axis] for axis in permutation)


def reshape_shape(input: Shape, shape: Sequence[int]) -> Shape:
    """Return `shape`. Raises ShapeError unless it has as many elements as `input`."""
    if prod(input) != prod(shape):
        raise ShapeError(
            f"{list(input)} has {prod(input)} elements, {list(shape)} has {prod(shape)}"
        )
    return tuple(shape)


def channel_shape(input: Shape, **parameters: Shape) -> Shape:
    """Return the shape `input`, [N,C,...]. Raises ShapeError unless every parameter has shape [C]."""
    if len(input) < 2:
        raise ShapeError(f"input must have a channel axis, got shape {list(input)}")
    for name, shape in parameters.items():
        if shape != (input[1],):
            raise ShapeError(f"{name} must have shape [{input[1]}], got {list(shape)}")
    return input


def resample_shape(input: Shape, index: Shape, weight: Shape | None, axis: int) -> Shape:
    """Return the shape `input` with axis `axis` as long as `index` [out,taps]. `weight` has the shape of `index`;
    without `weight` there must be one tap.
    """
    check_axis(axis, len(input))
    if len(index) != 2 or index[1] < 1:
        raise ShapeError(f"index must have shape [out,taps], got {list(index)}")
    if weight is None and index[1] != 1:
        raise ShapeError(f"without weight there is one tap, index has {index[1]}")
    if weight is not None and weight != index:
        raise ShapeError(f"weight must have the shape of index, {list(index)}, got {list(weight)}")
    return (*input[:axis], index[0], *input[axis + 1 :])


def concat_shape(inputs: Sequence[Shape], axis: int) -> Shape:
    """Return the shape of the inputs joined along `axis`: its size there is the sum of their sizes."""
    if not inputs:
        raise ShapeError("at least one input is needed")
    first = inputs[0]
    check_axis(axis, len(first))
    beside = (first[:axis], first[axis + 1 :])
    for other in inputs[1:]:
        if len(other) != len(first) or (other[:axis], other[axis + 1 :]) != beside:
            raise ShapeError(
                f"inputs {list(first)} and {list(other)} differ in an axis other than {axis}"
            )
    return (*first[:axis], sum(shape[axis] for shape in inputs), *first[axis + 1 :])


def slice_shape(
    input: Shape, starts: Sequence[int], sizes: Sequence[int], steps: Sequence[int]
) -> Shape:
    """Return `sizes`. Raises ShapeError unless along each axis the elements starts + i·steps, 0 <= i < sizes, lie
    within `input`.
    """
    for what, values in (("starts", starts), ("sizes", sizes), ("steps", steps)):
        _check_length(what, values, len(input))
    for axis, (length, start, size, step) in enumerate(
        zip(input, starts, sizes, steps, strict=True)
    ):
        if size < 0 or step == 0:
            raise ShapeError(f"axis {axis} has size {size} and step {step}")
        last = start + (size - 1) * step
        if size and not (0 <= start < length and 0 <= last < length):
            raise ShapeError(
                f"elements {start} to {last} of axis {axis} are not all among its {length}"
            )
    return tuple(sizes)


def pad_shape(input: Shape, low: Sequence[int], high: Sequence[int]) -> Shape:
    """Return the shape `input`, longer by `low` and `high` (not negative) along each axis."""
    _check_length("low", low, len(input))
    _check_length("high", high, len(input))
    if min((*low, *high), default=0) < 0:
        raise ShapeError(f"pads must not be negative, got {list(low)} and {list(high)}")
    return tuple(size + a + b for size, a, b in zip(input, low, high, strict=True))


def gather_shape(input: Shape, axis: int, indices: Sequence[int]) -> Shape:
    """Return the shape `input` with axis `axis` as long as `indices`. Raises ShapeError unless all indices lie within
    that axis.
    """
    check_axis(axis, len(input))
    for index in indices:
        if not 0 <= index < input[axis]:
            raise ShapeError(f"index {index} is none of the {input[axis]} elements of axis {axis}")
    return (*input[:axis], len(indices), *input[axis + 1 :])


def rows_shape(input: Shape, axis: int, indices: Shape) -> Shape:
    """Return the shape `input` with the axes of `indices` in place of axis `axis`. Raises ShapeError unless all axes
    before it have one element, so that what an index names is one row of the elements in memory.
    """
    check_axis(axis, len(input))
    if prod(input[:axis]) != 1:
        raise ShapeError(
            f"the axes before axis {axis} must have one element, the shape is {list(input)}"
        )
    return (*input[:axis], *indices, *input[axis + 1 :])
