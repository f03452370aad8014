"""A strided copy between two buffers, as `tile.copy` says it: pure mathematics, no IR."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StridedCopy:
    """Which elements go where: offsets and strides in elements; the last axis is contiguous on both sides.

    After each run along the last axis `pad` elements are filled in the target.
    """

    sizes: tuple[int, ...]
    source_offset: int
    source_strides: tuple[int, ...]
    target_offset: int
    target_strides: tuple[int, ...]
    pad: int = 0
