"""How a box that lies in one order of axes comes into another by exchanging two groups of them: pure mathematics, no
IR.

Copies move runs along the axis that is contiguous on both sides. Where that axis differs, the runs are single elements;
a copy that keeps the source's runs, and a transposition of the tile in local memory, move the same box in whole runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class Transposition:
    """The order tiles + rows + columns becomes tiles + columns + rows; each is a group of neighboring axes."""

    tiles: tuple[int, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    @property
    def before(self) -> tuple[int, ...]:
        """The order of the axes before the transposition, outermost first."""
        return (*self.tiles, *self.rows, *self.columns)

    @property
    def loop_order(self) -> tuple[int, ...]:
        """The axes in the order in which a box is best divided into tiles: last those of the group with fewer axes,
        such as an image's channels beside its height and width. Then runs stay long on both sides.
        """
        groups = sorted((self.rows, self.columns), key=len, reverse=True)
        return (*self.tiles, *groups[0], *groups[1])

    def sizes(self, extents: Sequence[int]) -> tuple[int, int, int]:
        """Return how many tiles, rows and columns a box of these extents has (by axis)."""
        groups = (self.tiles, self.rows, self.columns)
        tiles, rows, columns = (prod(extents[axis] for axis in group) for group in groups)
        return tiles, rows, columns


def transposition_of(
    source: Sequence[int], target: Sequence[int], shape: Sequence[int]
) -> Transposition | None:
    """Return the transposition after which a box lies in the order `target`, and before which it lies in runs of the
    order `source`; None if both orders have the same contiguous axis.

    The columns are as many of the source's last axes as are neighbors in the target, so that runs are as long as can
    be. Axes of size 1 in `shape` lie anywhere, and are counted among the tiles.
    """
    ones = tuple(axis for axis in target if shape[axis] == 1)
    source = [axis for axis in source if shape[axis] > 1]
    target = [axis for axis in target if shape[axis] > 1]
    if not source or source[-1] == target[-1]:
        return None
    end = target.index(source[-1]) + 1
    length = 1
    while length < end and source[-length - 1] == target[end - length - 1]:
        length += 1
    return Transposition(
        (*ones, *target[: end - length]), tuple(target[end:]), tuple(target[end - length : end])
    )
