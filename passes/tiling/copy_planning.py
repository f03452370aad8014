"""Plans strided copies between two buffers: pure mathematics, no IR.

A copy's last axis is contiguous on both sides, and padding can be written after each run of it. If the two buffers
disagree about which axis is contiguous, the runs are single elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .strided_copy import StridedCopy


@dataclass(frozen=True)
class Padding:
    """Padding that follows the last element along `axis` in the target: `count` elements that have to be written.

    The source has `spare` more elements with defined values after its own along that axis; they may be copied instead
    of filling.
    """

    axis: int
    count: int
    spare: int = 0


def plan(
    sizes: Sequence[int],
    source_strides: Sequence[int],
    target_strides: Sequence[int],
    source_offset: int = 0,
    target_offset: int = 0,
    padding: Padding | None = None,
) -> list[StridedCopy]:
    """Return the copies that move a box of `sizes` elements (per axis) and write the padding: one copy, or two if a
    transposed row has to be padded after its last element.

    The axis of the padding has target stride 1.
    """
    extents = list(sizes)
    pad, pad_axis = 0, None
    if padding is not None and padding.count:
        pad_axis = padding.axis
        if source_strides[pad_axis] == 1 and padding.spare >= padding.count:
            extents[pad_axis] += padding.count
            pad_axis = None
        else:
            pad = padding.count
    axes = [a for a in range(len(extents)) if extents[a] > 1 and a != pad_axis]
    axes.sort(key=lambda a: (-target_strides[a], -source_strides[a]))
    if pad_axis is not None and (source_strides[pad_axis] != 1 and extents[pad_axis] > 1):
        last = extents[pad_axis] - 1
        body = list(extents)
        body[pad_axis] = last
        tail = list(extents)
        tail[pad_axis] = 1
        return [
            *plan(body, source_strides, target_strides, source_offset, target_offset),
            *plan(
                tail, source_strides, target_strides,
                source_offset + last * source_strides[pad_axis], target_offset + last,
                Padding(pad_axis, pad),
            ),
        ]  # fmt: skip
    dims = [(extents[a], source_strides[a], target_strides[a]) for a in axes]
    if pad_axis is not None:
        dims = [*_merge(dims), (extents[pad_axis], 1, 1)]
    else:
        dims = _contiguous_last(_merge(dims))
    return [
        StridedCopy(
            tuple(d[0] for d in dims), source_offset, tuple(d[1] for d in dims),
            target_offset, tuple(d[2] for d in dims), pad,
        )
    ]  # fmt: skip


_Dim = tuple[int, int, int]


def _merge(dims: list[_Dim]) -> list[_Dim]:
    """Join neighboring axes (outermost first) that act as one axis in both buffers."""
    result: list[_Dim] = []
    for size, source, target in dims:
        if result:
            outer, outer_source, outer_target = result[-1]
            if outer_source == source * size and outer_target == target * size:
                result[-1] = (outer * size, source, target)
                continue
        result.append((size, source, target))
    return result


def _contiguous_last(dims: list[_Dim]) -> list[_Dim]:
    """Put an axis that is contiguous in both buffers last; if there is none, add an axis of one element."""
    for index, (_, source, target) in enumerate(dims):
        if source == 1 and target == 1:
            return [*dims[:index], *dims[index + 1 :], dims[index]]
    return [*dims, (1, 1, 1)]
