"""Turns strided copies of elements into the descriptors that a DMA engine takes; knows no IR.

A descriptor copies equal runs of bytes at up to four regular strides. Axes that follow each other without a gap on both
sides are joined, so that a copy takes as few and as long runs as it can; a copy with more than four axes left takes
several descriptors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from ..tiling.strided_copy import StridedCopy

AXES = 4
"""How many strides one descriptor has."""


@dataclass(frozen=True)
class Descriptor:
    """One transfer, in bytes: `run` bytes are copied and `pad` bytes filled, `counts` times at the strides (four of
    each).
    """

    source: int
    target: int
    run: int
    pad: int
    counts: tuple[int, ...]
    source_strides: tuple[int, ...]
    target_strides: tuple[int, ...]


def descriptors(copy: StridedCopy, element_bytes: int) -> Iterator[Descriptor]:
    """Return the transfers of a copy, in order; byte offsets are relative to the two buffers."""
    run, axes = _joined(copy)
    kept = axes[len(axes) - AXES :] if len(axes) > AXES else axes
    rest = axes[: len(axes) - len(kept)]
    fill = (1,) * (AXES - len(kept))
    nothing = (0,) * (AXES - len(kept))
    for index in product(*(range(size) for size, _, _ in rest)):
        source = copy.source_offset + sum(i * axis[1] for i, axis in zip(index, rest, strict=True))
        target = copy.target_offset + sum(i * axis[2] for i, axis in zip(index, rest, strict=True))
        yield Descriptor(
            source * element_bytes,
            target * element_bytes,
            run * element_bytes,
            copy.pad * element_bytes,
            (*(size for size, _, _ in kept), *fill),
            (*(step * element_bytes for _, step, _ in kept), *nothing),
            (*(step * element_bytes for _, _, step in kept), *nothing),
        )


def _joined(copy: StridedCopy) -> tuple[int, list[tuple[int, int, int]]]:
    """Return how many elements a run has, and (size, source stride, target stride) of the other axes; if there are
    many, the longest ones come last.
    """
    run = copy.sizes[-1]
    axes: list[tuple[int, int, int]] = []
    outer: Sequence[tuple[int, int, int]] = list(
        zip(copy.sizes[:-1], copy.source_strides, copy.target_strides, strict=False)
    )
    for size, source, target in reversed(outer):
        if size == 1:
            continue
        if not axes and not copy.pad and source == run and target == run:
            run *= size
        elif axes and (source, target) == (axes[0][0] * axes[0][1], axes[0][0] * axes[0][2]):
            axes[0] = (axes[0][0] * size, axes[0][1], axes[0][2])
        else:
            axes.insert(0, (size, source, target))
    if len(axes) > AXES:
        # Order of runs does not matter: repeat descriptors over the shortest axes.
        axes.sort(key=lambda axis: axis[0])
    return run, axes
