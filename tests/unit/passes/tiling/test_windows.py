"""Windows: what outputs read, parts and grids that cover, common refinements of shapes."""

from itertools import pairwise, product
from math import prod

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from smalti.passes.tiling.windows import (
    Window,
    cells,
    common_unit,
    factors_of_axes,
    flatten,
    grid,
    input_range,
    parts,
    refine,
    tiles,
    unflatten,
)

ranges = st.tuples(st.integers(0, 20), st.integers(1, 40)).map(lambda p: (p[0], p[0] + p[1]))


@given(
    outputs=st.tuples(st.integers(0, 10), st.integers(1, 6)).map(lambda p: (p[0], p[0] + p[1])),
    size=st.integers(1, 20),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    before=st.integers(0, 6),
    after=st.integers(0, 6),
)
def test_input_range_sees_the_same_windows(
    outputs: tuple[int, int],
    size: int,
    kernel: int,
    stride: int,
    dilation: int,
    before: int,
    after: int,
):
    found = input_range(
        outputs,
        size,
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        pad_before=before,
        pad_after=after,
    )
    assert 0 <= found.low < found.high <= size and found.before >= 0 and found.after >= 0
    whole = np.arange(1, size + 1)
    part = whole[found.low : found.high]
    for output in range(*outputs):
        for tap in range(kernel):
            at = output * stride + tap * dilation - before
            want = whole[at] if 0 <= at < size else 0
            local = (output - outputs[0]) * stride + tap * dilation - found.before
            got = part[local] if 0 <= local < len(part) else 0
            assert got == want


def test_padding_behind_counts_the_declared_part_only():
    # Outputs 0..2 of a kernel of 3 with stride 2 on 4 positions and one position of padding reach
    # position 6, past the padding.
    found = input_range((0, 3), 4, kernel=3, stride=2, dilation=1, pad_before=0, pad_after=1)
    assert (found.low, found.high, found.before, found.after) == (0, 4, 0, 1)
    inner = input_range((0, 1), 4, kernel=3, stride=2, dilation=1, pad_before=0, pad_after=1)
    assert inner.after == 0


@given(ranges, st.integers(1, 9), st.integers(1, 7))
def test_parts_cover_a_range_once(range_: tuple[int, int], count: int, unit: int):
    found = parts(range_, count, unit)
    assert 1 <= len(found) <= count
    assert found[0][0] == range_[0] and found[-1][1] == range_[1]
    for (_, end), (start, _) in pairwise(found):
        assert end == start and (start - range_[0]) % unit == 0
    assert all(low < high for low, high in found)


@given(
    st.lists(ranges, min_size=1, max_size=3), st.lists(st.integers(1, 9), min_size=3, max_size=3)
)
def test_a_grid_partitions_its_window(window: list[tuple[int, int]], sizes: list[int]):
    shape = [high for _, high in window]
    seen = np.zeros(shape, dtype=int)
    for box in grid(tuple(window), sizes[: len(window)]):
        seen[tuple(slice(*range_) for range_ in box)] += 1
    inside = seen[tuple(slice(*range_) for range_ in window)]
    assert (inside == 1).all() and seen.sum() == inside.sum()


def test_tiles_and_bounds():
    assert tiles((3, 10), 3) == [(3, 6), (6, 9), (9, 10)]
    assert unflatten(flatten(((0, 2), (3, 4)))) == ((0, 2), (3, 4))


def test_common_unit():
    assert common_unit([0], 64) == 0
    assert common_unit([0, 48, 96], 64) == 48
    assert common_unit([0, 192, 384], 128) == 64


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.randoms())
def test_a_refinement_nests_in_both_shapes(factors: list[int], random):
    def grouped() -> list[int]:
        shape: list[int] = []
        for factor in factors:
            if shape and random.random() < 0.5:
                shape[-1] *= factor
            else:
                shape.append(factor)
        return shape

    source, target = grouped(), grouped()
    found = refine(source, target)
    assert found is not None and prod(found) == prod(factors)
    for shape in (source, target):
        for size, nest in zip(shape, factors_of_axes(shape, found), strict=True):
            assert prod(found[f] for f in nest) == size


def test_shapes_without_refinement():
    assert refine((4, 6), (6, 4)) is None
    assert refine((6, 4), (3, 8)) == (3, 2, 4)
    assert refine((1, 1), (1,)) == ()


boxes = st.lists(
    st.tuples(*[st.tuples(st.integers(0, 5), st.integers(1, 4)).map(lambda p: (p[0], sum(p)))] * 2),
    max_size=4,
)


def _positions(window: Window) -> set[tuple[int, ...]]:
    return set(product(*(range(low, high) for low, high in window)))


@given(boxes)
def test_cells_cover_windows_and_lie_in_or_outside_each(windows: list[Window]) -> None:
    found = [(cell, _positions(cell)) for cell in cells(windows)]
    covered = [_positions(window) for window in windows]
    assert sum(len(inside) for _, inside in found) == len(set().union(*covered))
    for _, inside in found:
        assert any(inside <= own for own in covered)
        assert all(inside <= own or not inside & own for own in covered)


def test_rows_that_two_windows_share_are_a_cell() -> None:
    assert list(cells([((0, 5), (0, 2)), ((3, 8), (0, 2))])) == [
        ((0, 3), (0, 2)),
        ((3, 5), (0, 2)),
        ((5, 8), (0, 2)),
    ]
