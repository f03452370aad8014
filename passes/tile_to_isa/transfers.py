"""Turns copies of elements and of bytes into the descriptors that a DMA engine takes; knows no IR.

A descriptor copies equal runs of bytes at up to four regular strides. Axes that follow each other without a gap on both
sides are joined, so that a copy takes as few and as long runs as it can; a copy with more than four axes left takes
several descriptors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

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

    def fields(self, source: int, target: int) -> dict[str, int]:
        """Return the fields of the load or store, for buffers at these addresses."""
        axes = enumerate(zip(self.counts, self.source_strides, self.target_strides, strict=True))
        result = {
            "src": source + self.source,
            "dst": target + self.target,
            "run": self.run,
            "pad": self.pad,
        }
        for d, (count, source_stride, target_stride) in axes:
            result[f"count{d}"] = count
            result[f"src_stride{d}"] = source_stride
            result[f"dst_stride{d}"] = target_stride
        return result


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


def descriptors_of_bytes(sources: np.ndarray, targets: np.ndarray) -> list[Descriptor]:
    """Return the transfers that copy the bytes `sources` to the bytes `targets`, int [n] each, both ascending.

    Bytes that follow each other on both sides become runs. Runs that are alike and follow each other at a regular
    stride become an axis, and so do the boxes that this makes.
    """
    first = np.flatnonzero(
        (np.diff(sources, prepend=-2) != 1) | (np.diff(targets, prepend=-2) != 1)
    )
    runs = np.diff(first, append=len(sources))
    boxes = [
        Descriptor(source, target, run, 0, (), (), ())
        for source, target, run in zip(
            sources[first].tolist(), targets[first].tolist(), runs.tolist(), strict=True
        )
    ]
    for _ in range(AXES):
        boxes = _stacked(boxes)
    return [_with_all_axes(box) for box in boxes]


def _stacked(boxes: Sequence[Descriptor]) -> list[Descriptor]:
    """Return the boxes, with an axis more where several that are alike follow each other at a regular stride."""
    stacks: list[list[Descriptor]] = []
    for box in boxes:
        if stacks and _continues(stacks[-1], box):
            stacks[-1].append(box)
        else:
            stacks.append([box])
    return [_with_axis(stack) if len(stack) > 1 else stack[0] for stack in stacks]


def _continues(stack: Sequence[Descriptor], box: Descriptor) -> bool:
    last = stack[-1]
    alike = replace(box, source=last.source, target=last.target) == last
    return alike and (len(stack) == 1 or _step(stack[-2], last) == _step(last, box))


def _step(a: Descriptor, b: Descriptor) -> tuple[int, int]:
    return b.source - a.source, b.target - a.target


def _with_axis(stack: Sequence[Descriptor]) -> Descriptor:
    first = stack[0]
    source_stride, target_stride = _step(first, stack[1])
    return replace(
        first,
        counts=(*first.counts, len(stack)),
        source_strides=(*first.source_strides, source_stride),
        target_strides=(*first.target_strides, target_stride),
    )


def _with_all_axes(box: Descriptor) -> Descriptor:
    missing = AXES - len(box.counts)
    return replace(
        box,
        counts=(*box.counts, *(1,) * missing),
        source_strides=(*box.source_strides, *(0,) * missing),
        target_strides=(*box.target_strides, *(0,) * missing),
    )
