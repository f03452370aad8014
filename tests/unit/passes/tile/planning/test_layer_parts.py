"""Layers are divided into grids over one axis or two, or as their schedules say."""

from __future__ import annotations

from itertools import combinations
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.dialects import tpu
from smalti.dialects.tile import Schedule
from smalti.passes.tile.planning.layer_parts import Parts, possible_parts
from smalti.passes.tile.tiler_bases.tiler import Tiler
from smalti.passes.tiling.windows import contains, flatten, intersection, sizes_of

from ..layers import tilers_of
from ..tilers.random_network import Network


def convolution(channels: int, height: int, width: int) -> Tiler:
    """The tiler of a convolution whose output, which another layer reads, has this shape; on a target of eight cores
    with groups of 16 lanes.
    """
    network = Network(True, np.random.default_rng(1))
    x = network.input(1, 16, height, width)
    y = network.add(
        tpu.Conv2dOp(
            "y", x, network.parameters(channels, 16, 1, 1), element=network.element(),
            strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1), groups=1, accumulator="i32",
        )
    )  # fmt: skip
    last = network.add(tpu.ClampOp("last", y, clamp_low=0.0))
    return tilers_of(network.module(last, "default-8c"), network.ctx)["y"]


def options(tiler: Tiler, decided: Schedule | None = None, cores: int = 8) -> list[Parts]:
    return possible_parts(tiler.layer, tiler, decided or Schedule(), cores)


def splits(tiler: Tiler, cores: int) -> list[tuple[int, ...] | None]:
    return [parts.split for parts in options(tiler, cores=cores)]


def test_grids_divide_one_axis_or_two_into_at_most_so_many_parts() -> None:
    found = splits(convolution(32, 4, 3), 6)
    assert len(found) == len(set(found))
    # 32 channels are two groups of lanes. Three rows of four would be (2, 2), as two are.
    assert set(found) == {
        (1, 1, 1, 1),
        (1, 2, 1, 1), (1, 1, 2, 1), (1, 1, 4, 1), (1, 1, 1, 2), (1, 1, 1, 3),
        (1, 2, 2, 1), (1, 2, 1, 2), (1, 2, 1, 3), (1, 1, 2, 2), (1, 1, 2, 3),
    }  # fmt: skip


def test_one_core_has_the_whole_output() -> None:
    assert splits(convolution(32, 4, 3), 1) == [(1, 1, 1, 1)]


@settings(max_examples=25)
@given(st.integers(1, 70), st.integers(1, 9), st.integers(1, 9), st.integers(1, 8))
def test_each_grid_is_the_output_with_a_core_for_each_part(
    channels: int, height: int, width: int, cores: int
) -> None:
    tiler = convolution(channels, height, width)
    for parts in options(tiler, cores=cores):
        assert parts.split is not None
        assert len(parts.windows) == len(parts.cores) == prod(parts.split) <= cores
        assert sorted(parts.cores) == list(range(len(parts.cores)))
        assert sum(size > 1 for size in parts.split) <= 2
        assert all(contains(tiler.layer.window, window) for window in parts.windows)
        assert all(intersection(a, b) is None for a, b in combinations(parts.windows, 2))
        covered = sum(prod(sizes_of(window)) for window in parts.windows)
        assert covered == channels * height * width


def test_cores_with_neighboring_channels_of_a_position_are_neighbors() -> None:
    """Cores are numbered in the order of the output in memory, in which a position's channels lie together."""
    tiler = convolution(64, 8, 8)
    assert tiler.layer.output.layout.order == (0, 2, 3, 1)
    for parts in options(tiler):
        in_memory = sorted(
            zip(parts.windows, parts.cores, strict=True),
            key=lambda part: [part[0][axis][0] for axis in (0, 2, 3, 1)],
        )
        assert [core for _, core in in_memory] == list(range(len(parts.cores)))
    found = {parts.split: parts.cores for parts in options(tiler)}
    assert found[1, 2, 4, 1] == (0, 2, 4, 6, 1, 3, 5, 7)
    assert found[1, 1, 4, 2] == (0, 1, 2, 3, 4, 5, 6, 7)


def test_given_cores_leave_the_grids_with_so_many_parts() -> None:
    given_cores = (7, 0, 3, 1)
    found = options(convolution(32, 4, 4), Schedule(cores=given_cores), cores=1)
    assert [parts.cores for parts in found] == [given_cores] * len(found)
    assert {parts.split for parts in found} == {
        (1, 1, 4, 1), (1, 1, 1, 4), (1, 2, 2, 1), (1, 2, 1, 2), (1, 1, 2, 2)
    }  # fmt: skip


def test_a_given_split_is_the_only_way() -> None:
    decided = Schedule(cores=(4, 2), split=(1, 1, 1, 2))
    (parts,) = options(convolution(32, 4, 4), decided)
    assert (parts.cores, parts.split) == ((4, 2), (1, 1, 1, 2))
    assert [window[3] for window in parts.windows] == [(0, 2), (2, 4)]
    assert parts.complete(Schedule(), 4) == decided


def test_given_windows_are_no_grid() -> None:
    windows = [((0, 1), (0, 32), (0, 3), (0, 4)), ((0, 1), (0, 32), (3, 4), (0, 4))]
    decided = Schedule(windows=tuple(map(flatten, windows)))
    (parts,) = options(convolution(32, 4, 4), decided)
    assert (parts.cores, list(parts.windows), parts.split) == ((0, 1), windows, None)
    assert parts.complete(decided, 4) == Schedule(cores=(0, 1), windows=decided.windows)


@pytest.mark.parametrize(
    ("decided", "cores", "said"),
    [
        (Schedule(cores=tuple(range(7))), 8, "its output cannot be divided into 7 equal parts"),
        (Schedule(cores=(0, 8)), 8, "its schedule has core 8, target 'default-8c' has 8 cores"),
        (Schedule(split=(1, 1, 4, 1)), 2, "its schedule has 4 parts for 2 cores"),
        (Schedule(cores=(0, 1), split=(1, 1, 4, 1)), 8, "has 2 cores for 4 parts"),
        (Schedule(split=(1, 1, 3, 1)), 8, "axis 2 of 4 elements cannot be divided into 3 equal"),
        (Schedule(split=(1, 3, 1, 1)), 8, "axis 1 of 32 elements cannot be divided into 3 equal"),
    ],
)
def test_what_cannot_be_carried_out_is_said(decided: Schedule, cores: int, said: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        options(convolution(32, 4, 4), decided, cores)
    assert said in str(caught.value) and "node_" in str(caught.value)
    assert caught.value.hint
