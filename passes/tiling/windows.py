"""Windows of tensors, which are ranges per axis: what a window of an output reads of an input, and how windows are
divided.

Pure mathematics, no IR. A range is (low, high), high exclusive; a window is one range per axis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from math import gcd
from typing import NamedTuple

import numpy as np

from ...backends.numerics.rounding_up import ceil_div
from ...backends.numerics.windows.sliding_windows import window_extent

Range = tuple[int, int]
Window = tuple[Range, ...]


def whole(shape: Sequence[int]) -> Window:
    """Return the window that covers a whole tensor of `shape`."""
    return tuple((0, size) for size in shape)


def sizes_of(window: Window) -> tuple[int, ...]:
    """Return the number of elements along each axis of the window."""
    return tuple([high - low for low, high in window])


def along_all_axes(flags: np.ndarray) -> np.ndarray:
    """Tell where flags, bool [..., axes], hold along all axes.

    There are few axes, and NumPy's `all` takes several times as long, because it reduces each few by themselves.
    """
    found = np.ones(flags.shape[:-1], np.bool_)
    for axis in range(flags.shape[-1]):
        found &= flags[..., axis]
    return found


def flatten(window: Window) -> tuple[int, ...]:
    """Return a window as an attribute holds it: low and high of axis 0, low and high of axis 1, ..."""
    return tuple(bound for range_ in window for bound in range_)


def unflatten(bounds: Sequence[int]) -> Window:
    """Return the window of such a list: the inverse of `flatten`."""
    return tuple(zip(bounds[::2], bounds[1::2], strict=True))


class InputRange(NamedTuple):
    """What a range of outputs of a sliding window reads along one axis: input [low, high), and padding.

    `before` and `after` count the positions of padding before and after the input range that the windows cover. `after`
    counts only declared padding: a last window may reach further (ceil_mode, or the missing part of a convolution's
    stride), and the positions that it covers there do not exist.
    """

    low: int
    high: int
    before: int
    after: int

    @property
    def size(self) -> int:
        """How many input positions are read."""
        return self.high - self.low


def input_range(
    outputs: Range,
    size: int,
    *,
    kernel: int,
    stride: int,
    dilation: int,
    pad_before: int,
    pad_after: int,
) -> InputRange:
    """Return which positions of an input of `size` the output positions [low, high) of a sliding window read.

    Output y covers positions y·stride + i·dilation − pad_before, 0 <= i < kernel. If all of these lie in padding, one
    input position is returned nevertheless (a buffer cannot be empty), preceded by padding that holds every window.
    """
    first = outputs[0] * stride - pad_before
    last = (outputs[1] - 1) * stride - pad_before + window_extent(kernel, dilation)
    low, high = max(first, 0), min(last, size)
    after = max(0, min(last, size + pad_after) - size)
    if low >= high:
        return InputRange(0, 1, last - first, 0)
    return InputRange(low, high, low - first, after)


def positions_read(
    outputs: int, size: int, *, kernel: int, stride: int, dilation: int, pad_before: int
) -> int:
    """Count the positions of an input of `size` that `outputs` outputs of a sliding window read: none between windows
    that lie apart.
    """
    starts = range(-pad_before, outputs * stride - pad_before, stride)
    taps = range(0, kernel * dilation, dilation)
    return len({start + tap for start in starts for tap in taps if 0 <= start + tap < size})


def steps_inside(box: Window, steps: Sequence[int], other: Window) -> Window | None:
    """Return the numbers i, as a range per axis, for which position low + i · step of `box` lies in `other`, where
    `box` has high − low such positions along an axis; None if there are none.

    Steps are at least 1; where they are 1, this is the intersection of both windows, counted from the start of `box`.
    """
    result: list[Range] = []
    for (low, high), step, (first, end) in zip(box, steps, other, strict=True):
        begin, stop = (
            max(0, ceil_div(first - low, step)),
            min(high - low, ceil_div(end - low, step)),
        )
        if begin >= stop:
            return None
        result.append((begin, stop))
    return tuple(result)


def contains(window: Window, other: Window) -> bool:
    """Tell whether `other` lies in `window`."""
    return all(
        low <= first and last <= high
        for (low, high), (first, last) in zip(window, other, strict=True)
    )


def hull(a: Window, b: Window) -> Window:
    """Return the smallest window that both windows lie in."""
    return tuple(
        (min(low, first), max(high, last)) for (low, high), (first, last) in zip(a, b, strict=True)
    )


def intersection(a: Window, b: Window) -> Window | None:
    """Return what two windows share; None if that is nothing."""
    shared = tuple(
        (max(low, first), min(high, last)) for (low, high), (first, last) in zip(a, b, strict=True)
    )
    return shared if all(low < high for low, high in shared) else None


def cells(windows: Sequence[Window], axis: int = 0) -> Iterator[Window]:
    """Return disjoint windows that cover what `windows` do, each of which lies in or outside each of them. What they
    have of axes before `axis` is left out.
    """
    if not windows:
        return
    if axis == len(windows[0]):
        yield ()
        return
    bounds = sorted({bound for window in windows for bound in window[axis]})
    for low, high in pairwise(bounds):
        here = [each for each in windows if each[axis][0] <= low and high <= each[axis][1]]
        for rest in cells(here, axis + 1):
            yield ((low, high), *rest)


def with_axes_of(shape: Sequence[int], window: Window, own: Sequence[int]) -> Window:
    """Return a window of a tensor of shape `own` as one of the same tensor seen as `shape`: the shapes differ by axes
    of one element.
    """
    ranges = iter(range_ for range_, size in zip(window, own, strict=True) if size > 1)
    return tuple(next(ranges) if size > 1 else (0, 1) for size in shape)


def parts(range_: Range, count: int, unit: int = 1) -> list[Range]:
    """Divide `range_` into at most `count` consecutive parts, equal except the last; each starts at a multiple of
    `unit` from the start of `range_`.
    """
    low, high = range_
    units = ceil_div(high - low, unit)
    step = ceil_div(units, max(1, min(count, units))) * unit
    return [(start, min(start + step, high)) for start in range(low, high, step)]


def tiles(range_: Range, size: int) -> list[Range]:
    """Divide `range_` into consecutive parts of `size`, of which the last may be shorter."""
    low, high = range_
    return [(start, min(start + size, high)) for start in range(low, high, size)]


def grid(window: Sequence[Range], tile: Sequence[int]) -> Iterator[Window]:
    """Return the windows of at most `tile` elements per axis that partition `window`, in row-major order."""
    axes = [tiles(range_, size) for range_, size in zip(window, tile, strict=True)]
    return product(*axes)


def common_unit(starts: Sequence[int], limit: int) -> int:
    """Return a unit at whose multiples all `starts` lie: their gcd if that is at most `limit`, else its gcd with
    `limit`.

    The result is 0 if all starts are 0, because then any unit will do.
    """
    unit = gcd(*starts) if starts else 0
    return unit if unit <= limit else gcd(unit, limit)


def refine(source: Sequence[int], target: Sequence[int]) -> tuple[int, ...] | None:
    """Return the factors, outermost first, whose row-major nest gives either shape when neighbors are joined; None if
    there are none.

    Both shapes have the same number of elements. (6, 4) and (3, 8) refine to (3, 2, 4): the boundaries between axes,
    counted as elements inside them, must divide one another. (4, 6) and (6, 4) have no refinement.
    """
    boundaries: set[int] = {1}
    for shape in (source, target):
        inside = 1
        for size in reversed(shape):
            inside *= size
            boundaries.add(inside)
    ordered = sorted(boundaries)
    factors: list[int] = []
    for inner, outer in pairwise(ordered):
        if outer % inner:
            return None
        factors.append(outer // inner)
    return tuple(reversed(factors))


def factors_of_axes(shape: Sequence[int], factors: Sequence[int]) -> list[list[int]]:
    """Return for each axis of `shape` the indices of the `factors` (from `refine`) that it consists of, outermost
    first.

    An axis of size 1 has none.
    """
    result: list[list[int]] = []
    position = 0
    for size in shape:
        own: list[int] = []
        inside = 1
        while inside < size:
            inside *= factors[position]
            own.append(position)
            position += 1
        result.append(own)
    return result
