"""Turns strided boxes of elements into the descriptors that a DMA engine takes; knows no IR.

A descriptor copies equal runs of bytes at up to four regular strides. Axes that lie behind each
other on both sides are joined, so that a box takes as few and as long runs as it can; what has more
than four axes left takes several descriptors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

AXES = 4
"""Strides of one descriptor."""


@dataclass(frozen=True)
class Box:
    """Which elements go where: offsets and strides in elements, the last axis contiguous on both
    sides.

    After each run along the last axis `pad` elements are filled at the target.
    """

    sizes: tuple[int, ...]
    source_offset: int
    source_strides: tuple[int, ...]
    target_offset: int
    target_strides: tuple[int, ...]
    pad: int = 0


@dataclass(frozen=True)
class Descriptor:
    """One transfer, in bytes: `run` bytes copied and `pad` bytes filled, `counts` times at the
    strides (four each).
    """

    source: int
    target: int
    run: int
    pad: int
    counts: tuple[int, ...]
    source_strides: tuple[int, ...]
    target_strides: tuple[int, ...]


def descriptors(box: Box, element_bytes: int) -> Iterator[Descriptor]:
    """The transfers of a box, in order; byte offsets are relative to the two buffers."""
    run, axes = _joined(box)
    kept = axes[len(axes) - AXES :] if len(axes) > AXES else axes
    rest = axes[: len(axes) - len(kept)]
    fill = (1,) * (AXES - len(kept))
    nothing = (0,) * (AXES - len(kept))
    for index in product(*(range(size) for size, _, _ in rest)):
        source = box.source_offset + sum(i * axis[1] for i, axis in zip(index, rest, strict=True))
        target = box.target_offset + sum(i * axis[2] for i, axis in zip(index, rest, strict=True))
        yield Descriptor(
            source * element_bytes,
            target * element_bytes,
            run * element_bytes,
            box.pad * element_bytes,
            (*(size for size, _, _ in kept), *fill),
            (*(step * element_bytes for _, step, _ in kept), *nothing),
            (*(step * element_bytes for _, _, step in kept), *nothing),
        )


def _joined(box: Box) -> tuple[int, list[tuple[int, int, int]]]:
    """Elements of a run, and (size, source stride, target stride) of the axes left, the longest
    ones last if many.
    """
    run = box.sizes[-1]
    axes: list[tuple[int, int, int]] = []
    outer: Sequence[tuple[int, int, int]] = list(
        zip(box.sizes[:-1], box.source_strides, box.target_strides, strict=False)
    )
    for size, source, target in reversed(outer):
        if size == 1:
            continue
        if not axes and not box.pad and source == run and target == run:
            run *= size
        elif axes and (source, target) == (axes[0][0] * axes[0][1], axes[0][0] * axes[0][2]):
            axes[0] = (axes[0][0] * size, axes[0][1], axes[0][2])
        else:
            axes.insert(0, (size, source, target))
    if len(axes) > AXES:
        # Order of runs does not matter: repeat descriptors over the shortest axes.
        axes.sort(key=lambda axis: axis[0])
    return run, axes
