"""Which pairs of layers may make each other's errors larger or smaller than the sum: neighbors, and layers of a
residual block.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..sensitivity.layer_groups import LayerGroup

Pair = tuple[str, str]


def interacting_pairs(groups: Sequence[LayerGroup]) -> list[Pair]:
    """Return pairs of the names of groups, in order: those of which one reads the other, and those of one residual
    block.
    """
    place = {group.name: at for at, group in enumerate(groups)}
    pairs: dict[Pair, None] = {}
    for group in groups:
        for read in group.reads:
            pairs[read, group.name] = None
        for block in _residual_blocks(group, groups, place):
            names = sorted(block, key=place.__getitem__)
            for at, name in enumerate(names):
                for other in names[at + 1 :]:
                    pairs[name, other] = None
    return list(pairs)


def shrunk_interaction(
    both: Sequence[float], one: Sequence[float], other: Sequence[float]
) -> float:
    """Return by how much two layers lose more together than the sum of what each loses alone, from the losses of
    samples, shrunk towards 0 by its standard error: what noise may have made is not believed.
    """
    differences = np.asarray(both) - np.asarray(one) - np.asarray(other)
    mean = float(differences.mean())
    if len(differences) < 2:
        return 0.0
    error = float(differences.std(ddof=1)) / len(differences) ** 0.5
    return float(np.sign(mean)) * max(0.0, abs(mean) - error)


_LONGEST_BLOCK = 8
"""The most layers of what counts as a residual block: U-nets join what is far apart."""


def _residual_blocks(
    join: LayerGroup, groups: Sequence[LayerGroup], place: dict[str, int]
) -> list[set[str]]:
    """Return the blocks that end where a group reads two values of which one is made of the other: all on the way from
    the earlier one.
    """
    blocks: list[set[str]] = []
    for early in join.reads:
        for late in join.reads:
            if place[early] >= place[late] or place[late] - place[early] > _LONGEST_BLOCK:
                continue
            between = {
                name for name in _ancestors(late, groups, place, place[early]) if name != early
            }
            if any(early in groups[place[name]].reads for name in between):
                blocks.append({*between, join.name})
    return blocks


def _ancestors(
    name: str, groups: Sequence[LayerGroup], place: dict[str, int], first: int
) -> set[str]:
    """Return a group and those that it is made of, as far back as place `first`."""
    found: set[str] = set()
    open_names = [name]
    while open_names:
        each = open_names.pop()
        if each in found or place[each] < first:
            continue
        found.add(each)
        open_names += groups[place[each]].reads
    return found
