"""Divides the output of a layer into parts for cores: as its schedule says, or as the cost model finds cheapest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ....backends.diagnostics.diagnostic import DiagnosticError
from ....backends.numerics.rounding_up import ceil_div
from ....dialects.tile import Schedule
from ...tiling.cost import split_cycles
from ...tiling.windows import Range, Window, flatten, intersection, parts, sizes_of, unflatten
from ..tiler_bases.layer import Layer, one_of
from ..tiler_bases.tiler import Tiler

if TYPE_CHECKING:
    from ....backends.targets.target import Target


@dataclass(frozen=True)
class Parts:
    """The parts of a layer: the core and the window of each, and into how many each axis is divided; None if the
    windows are no such grid.
    """

    cores: tuple[int, ...]
    windows: tuple[Window, ...]
    split: tuple[int, ...] | None
    some: tuple[int, ...] | None = None
    """The numbers of the parts in the schedule of the layer; None if these are all."""

    @property
    def numbers(self) -> Sequence[int]:
        """The number of each part in the schedule of the layer."""
        return range(len(self.cores)) if self.some is None else self.some

    def complete(self, decided: Schedule, rank: int) -> Schedule:
        """Return `decided` with these parts, for an output of `rank` axes."""
        if self.some is not None and decided.split is not None:
            return replace(decided, cores=decided.cores or tuple(range(prod(decided.split))))
        if decided.windows is not None:
            return replace(decided, cores=self.cores)
        return replace(decided, cores=self.cores, split=self.split and self.split[:rank])


def check_core_count(target: Target, cores: int | None) -> int:
    """Return how many cores to use: all of the target's if `cores` is None. Raises DiagnosticError if it has fewer."""
    if cores is None:
        return target.cores
    if not 1 <= cores <= target.cores:
        raise DiagnosticError(
            f"{cores} cores were asked for, target '{target.name}' has {target.cores}",
            hint=f"ask for 1 to {target.cores} cores, or compile for another target",
        )
    return cores


def possible_parts(
    layer: Layer, tiler: Tiler, decided: Schedule, cores: int, most: int | None = None
) -> list[Parts]:
    """Return the ways to divide a layer that runs on at most `cores` cores into at most `most` parts, unless its
    schedule says which cores and how many parts.

    Raises DiagnosticError if what is decided cannot be carried out.
    """
    costs = tiler.costs
    given = decided.cores
    if given is not None and max(given) >= costs.cores:
        raise layer.schedule_error(
            "cores",
            f"its schedule has core {max(given)}, target '{costs.target.name}' has {costs.cores} cores",
            "change the cores of the schedule, or compile for another target",
        )
    if layer.is_sliced and decided.split is not None:
        if given is None and prod(decided.split) > cores:
            raise layer.error(
                f"its schedule has {prod(decided.split)} parts for {cores} cores",
                "say with 'cores' on which core each part runs",
            )
        return [sliced_parts(layer.window, tiler, decided)]
    count = decided.values_per_part
    windows, split = _decided_windows(layer, tiler.units(), decided)
    if windows is None:
        if given is not None:
            bound = len(given)
        else:
            bound = cores if count is not None or most is None else min(cores, most)
        found = [
            Parts(given or parts.cores, parts.windows, parts.split)
            for parts in _grids(layer, tiler.units(), bound)
            if count is None or len(parts.windows) == count
        ]
        if not found:
            raise layer.schedule_error(
                "cores tile depth order",
                f"its output cannot be divided into {count} equal parts",
                "change the number of cores of the schedule, or give its 'windows'"
                if given is not None
                else f"the schedule has values for {count} parts: change them, or give its 'windows'",
            )
        return found
    if given is None:
        given = tuple(range(len(windows)))
        if len(windows) > cores:
            raise layer.schedule_error(
                "split windows",
                f"its schedule has {len(windows)} parts for {cores} cores",
                f"divide it into at most {cores} parts, one a core",
            )
        if count is not None and count != len(windows):
            raise layer.schedule_error(
                "tile depth order split windows",
                f"its schedule has {len(windows)} parts, and values for {count}",
                "give one value for all parts, or one for each",
            )
    if len(given) != len(windows):
        raise layer.schedule_error(
            "cores split windows",
            f"its schedule has {len(given)} cores for {len(windows)} parts",
            f"give {len(windows)} cores, one for each part, or divide it into {len(given)} parts",
        )
    return [Parts(given, tuple(windows), split)]


def sliced_parts(window: Window, tiler: Tiler, decided: Schedule) -> Parts:
    """Return the parts of a slice of a layer, of which `window` is computed and `decided.split` says how it is divided:
    along each axis into at most so many.
    """
    assert decided.split is not None
    split = decided.split or (1,)
    axes = [
        list(enumerate(parts(range_, count, unit or range_[1] - range_[0])))
        for range_, count, unit in zip(window, split, tiler.units(), strict=True)
    ]
    cores = decided.cores or tuple(range(prod(split)))
    numbers: list[int] = []
    windows: list[Window] = []
    for chosen in product(*axes):
        number = 0
        for (at, _), count in zip(chosen, split, strict=True):
            number = number * count + at
        numbers.append(number)
        windows.append(tuple(range_ for _, range_ in chosen))
    if max(numbers) >= len(cores):
        raise tiler.layer.error(
            f"its schedule has {len(cores)} cores for {prod(split)} parts",
            "give a core for each part",
        )
    return Parts(tuple(cores[n] for n in numbers), tuple(windows), split, tuple(numbers))


def cheapest(tiler: Tiler, options: Sequence[Parts]) -> Parts:
    """Return the parts with the fewest estimated cycles for the layer by itself."""
    return min(options, key=lambda parts: split_cycles(tiler.costs, map(tiler.work, parts.windows)))


def _grids(layer: Layer, units: Sequence[int], cores: int) -> Iterator[Parts]:
    """Return the whole output and its divisions into at most `cores` parts along one axis or two, each once."""
    window = layer.window
    axes = [_divisions(window[axis], unit, cores) for axis, unit in enumerate(units)]
    for counts in _counts(axes, cores):
        split = tuple(len(ranges) for ranges in counts)
        yield Parts(_cores(split, layer), tuple(product(*counts)), split)


def _counts(axes: Sequence[Sequence[list[Range]]], cores: int) -> Iterator[tuple[list[Range], ...]]:
    """Return the ranges of each axis, where at most two axes are divided, and into at most `cores` parts."""
    whole = tuple(divisions[0] for divisions in axes)
    yield whole
    for first, divisions in enumerate(axes):
        for ranges in divisions[1:]:
            yield (*whole[:first], ranges, *whole[first + 1 :])
            for second in range(first + 1, len(axes)):
                for others in axes[second][1:]:
                    if len(ranges) * len(others) <= cores:
                        found = [*whole]
                        found[first], found[second] = ranges, others
                        yield tuple(found)


def _divisions(range_: Range, unit: int, cores: int) -> list[list[Range]]:
    """Return the whole range and its divisions into 2 to `cores` parts, each once."""
    found = [[range_]]
    counts = {cores, *(count for count in (2, 3, 4, 6, 8, 12, 16, 24, 32, 64) if count < cores)}
    for count in sorted(counts) if unit else ():
        ranges = parts(range_, count, unit)
        if len(ranges) > len(found[-1]):
            found.append(ranges)
    return found


def _cores(split: Sequence[int], layer: Layer) -> tuple[int, ...]:
    """Return the core of each part of a grid: neighbors along the contiguous axis get neighboring cores, so that
    layers with more and with fewer parts along the other axes have these on the same cores.
    """
    order = layer.output.layout.order
    order = (*order, *(axis for axis in range(len(split)) if axis not in order))
    numbers = np.arange(prod(split)).reshape([split[axis] for axis in order])
    return tuple(numbers.transpose(np.argsort(order)).reshape(-1).tolist())


def _decided_windows(
    layer: Layer, units: Sequence[int], decided: Schedule
) -> tuple[list[Window] | None, tuple[int, ...] | None]:
    """Return the windows that a schedule says, and into how many parts each axis is divided; None if it does not say.
    Raises DiagnosticError if the layer cannot be divided so.
    """
    window = layer.window
    if decided.windows is not None:
        windows = [unflatten(bounds) or ((0, 1),) for bounds in decided.windows]
        for part in windows:
            _check_ends(layer, part, units)
        _check_cover(layer, windows)
        return windows, None
    if decided.split is None:
        return None, None
    split = decided.split or (1,)
    axes = []
    for axis, (range_, count, unit) in enumerate(zip(window, split, units, strict=True)):
        ranges = parts(range_, count, unit or range_[1] - range_[0])
        if len(ranges) != count:
            raise layer.schedule_error(
                "split",
                f"axis {axis} of {range_[1] - range_[0]} elements cannot be divided into {count} equal parts",
                _possible_split(window, axis, units),
            )
        axes.append(ranges)
    return list(product(*axes)), split


def _possible_split(window: Window, axis: int, units: Sequence[int]) -> str:
    """Return a hint that says into how many parts an axis can be divided or, if it cannot, which axes can."""
    counts = _part_counts(window[axis], units[axis])
    if len(counts) > 1:
        each = f" of a multiple of {units[axis]} elements" if units[axis] > 1 else ""
        return f"it can be divided into {one_of(counts)} parts{each}: change the split, or give 'windows'"
    others = [
        f"axis {other} into {one_of(_part_counts(window[other], unit))}"
        for other, unit in enumerate(units)
        if len(_part_counts(window[other], unit)) > 1
    ]
    can = f"{'; '.join(others)} can be" if others else "no axis can be"
    return f"it is always one part, so that its number in the split is 1; {can}"


def _part_counts(range_: Range, unit: int) -> list[int]:
    """Return into how many equal parts a range can be divided."""
    size = range_[1] - range_[0]
    most = ceil_div(size, unit) if unit else 1
    return sorted({len(parts(range_, count, unit or size)) for count in range(1, most + 1)})


def _check_ends(layer: Layer, part: Window, units: Sequence[int]) -> None:
    """Check that each range of a part begins and ends where the layer can be divided."""
    for axis, ((low, high), (first, last), unit) in enumerate(
        zip(part, layer.window, units, strict=True)
    ):
        for bound in (low, high):
            if bound in (first, last) or (unit and bound % unit == 0):
                continue
            rule = f"at multiples of {unit}" if unit else "nowhere"
            raise layer.schedule_error(
                "windows",
                f"a window of its schedule is {low} to {high} along axis {axis}, which can be divided {rule}",
                "change the window",
            )


def _check_cover(layer: Layer, windows: Sequence[Window]) -> None:
    """Check that parts cover what the layer computes, each element once."""
    for a, b in combinations(windows, 2):
        both = intersection(a, b)
        if both is not None:
            raise layer.schedule_error(
                "windows",
                f"its parts {list(flatten(a))} and {list(flatten(b))} overlap in {list(flatten(both))}",
                "change the windows: each element is in one of them",
            )
    elements = prod(sizes_of(layer.window))
    covered = sum(prod(sizes_of(part)) for part in windows)
    if covered < elements:
        raise layer.schedule_error(
            "windows",
            f"its parts leave out {elements - covered} of the {elements} elements of {list(flatten(layer.window))}",
            "change the windows, or add one: each element is in one of them",
        )
