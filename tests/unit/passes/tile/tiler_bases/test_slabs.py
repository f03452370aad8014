"""Slabs cover what their core computes and reads, as far as that is one range; the rest is gathered once."""

from __future__ import annotations

from functools import reduce
from itertools import combinations, product
from math import prod

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from smalti.backends.targets.alignment import align
from smalti.dialects import tile
from smalti.passes.tile.tiler_bases.layer import Buffer
from smalti.passes.tile.tiler_bases.slabs import (
    Alias,
    Gathering,
    Part,
    Read,
    Slab,
    SlabPlan,
)
from smalti.passes.tiling.allocation import Lifetime
from smalti.passes.tiling.layout import intermediate
from smalti.passes.tiling.windows import (
    Window,
    contains,
    hull,
    intersection,
    parts,
    sizes_of,
    whole,
)

LANES = 16


def tensor(*shape: int, is_kept: bool = True) -> Buffer:
    """A tensor of i8 between layers, channel-last, which stays on chip if it `is_kept`."""
    layout = intermediate(shape, LANES)
    value = tile.GlobalOp("t", "scratch", layout.physical, "i8").output
    return Buffer(value, "t", layout, "i8", "scratch", is_kept=is_kept)


def rows(low: int, high: int, channels: tuple[int, int] = (0, 32)) -> Window:
    """Some rows of a tensor of 32 channels and 8 rows of 4 pixels."""
    return ((0, 1), channels, (low, high), (0, 4))


def written(x: Buffer, *windows: Window, layer: int = 0) -> list[Part]:
    """The parts of a layer that writes a window of `x` on each of the first cores."""
    return [Part(layer, core, x, window, ()) for core, window in enumerate(windows)]


def reader(x: Buffer, layer: int, core: int, box: Window, *, is_loaded: bool = True) -> Part:
    """A part of a layer that reads a box of `x` and writes to global memory."""
    y = tensor(1, 32, 8, 4, is_kept=False)
    return Part(layer, core, y, whole(y.layout.shape), [Read(x, box, is_loaded)])


def test_the_slabs_of_rows_cover_the_halos_of_a_3x3_kernel() -> None:
    x = tensor(1, 32, 8, 4)
    readers = [reader(x, 1, 0, rows(0, 5)), reader(x, 1, 1, rows(3, 8))]
    plan = SlabPlan.of([*written(x, rows(0, 4), rows(4, 8)), *readers], LANES)
    assert plan.slabs[x.value] == [
        Slab(0, rows(0, 4), rows(0, 5)),
        Slab(1, rows(4, 8), rows(3, 8)),
    ]
    assert not plan.gatherings[x.value]


def test_slabs_grow_to_both_sides_by_the_reads_of_several_layers() -> None:
    x = tensor(1, 32, 8, 4)
    readers = [reader(x, 1, 1, rows(2, 5)), reader(x, 2, 1, rows(1, 4))]
    plan = SlabPlan.of([*written(x, rows(0, 2), rows(2, 4), rows(4, 8)), *readers], LANES)
    assert [slab.box for slab in plan.slabs[x.value]] == [rows(0, 2), rows(1, 5), rows(4, 8)]


def test_a_slab_of_channels_is_one_of_all_for_who_reads_them() -> None:
    """What the core computes are rows at a pitch in it."""
    x = tensor(1, 32, 8, 4)
    own = [rows(0, 8, (0, 16)), rows(0, 8, (16, 32))]
    readers = [reader(x, 1, core, rows(0, 8)) for core in (0, 1)]
    plan = SlabPlan.of([*written(x, *own), *readers], LANES)
    assert plan.slabs[x.value] == [Slab(core, own[core], rows(0, 8)) for core in (0, 1)]
    assert not plan.gatherings[x.value]


def test_a_slice_is_gathered_so_that_it_may_lie_where_its_elements_are() -> None:
    x, y = tensor(1, 48, 8, 4), tensor(1, 32, 8, 4)
    parts = [
        Part(1, core, y, rows(low, low + 4), (), [Alias(y, x, (0, 16, 0, 0), is_joined=False)])
        for core, low in ((0, 0), (1, 4))
    ]
    own = [rows(0, 4, (0, 48)), rows(4, 8, (0, 48))]
    plan = SlabPlan.of([*written(x, *own), *parts, reader(y, 2, 0, rows(0, 8))], LANES)
    assert [slab.box for slab in plan.slabs[y.value]] == [rows(0, 4), rows(4, 8)]
    assert plan.gatherings[y.value] == [Gathering(0, rows(0, 8), 2, 2)]
    assert all(plan.outer(y.value, slab) is not None for slab in plan.slabs[y.value])


def test_channels_of_one_pixel_are_one_range() -> None:
    x = tensor(1, 32, 1, 1)
    pixel = ((0, 1), (0, 32), (0, 1), (0, 1))
    own = [((0, 1), (low, low + 16), (0, 1), (0, 1)) for low in (0, 16)]
    plan = SlabPlan.of([*written(x, *own), reader(x, 1, 1, pixel)], LANES)
    assert [slab.box for slab in plan.slabs[x.value]] == [own[0], pixel]
    assert not plan.gatherings[x.value]


def test_readers_on_one_core_share_a_gathering() -> None:
    x = tensor(1, 32, 8, 4)
    readers = [
        reader(x, 1, 2, rows(0, 8)),
        reader(x, 3, 2, rows(2, 6)),
        reader(x, 4, 3, rows(2, 6)),
        reader(x, 5, 3, rows(0, 8)),
    ]
    plan = SlabPlan.of([*written(x, rows(0, 4), rows(4, 8)), *readers], LANES)
    assert plan.gatherings[x.value] == [
        Gathering(2, rows(0, 8), 1, 3),
        Gathering(3, rows(2, 6), 4, 4),
        Gathering(3, rows(0, 8), 5, 5),
    ]


def test_who_reads_wherever_it_lies_gathers_nothing() -> None:
    x = tensor(1, 32, 8, 4)
    readers = [reader(x, 1, core, rows(0, 8), is_loaded=False) for core in range(2)]
    plan = SlabPlan.of([*written(x, rows(0, 4), rows(4, 8)), *readers], LANES)
    assert [slab.box for slab in plan.slabs[x.value]] == [rows(0, 4), rows(4, 8)]
    assert not plan.gatherings[x.value]
    assert [claim.last for _, claim in plan.claims(x.value)] == [1, 1]


def test_a_window_that_is_no_range_of_the_hull_is_not_grown() -> None:
    """Columns beside a window lie between its rows."""
    x = tensor(1, 32, 8, 4)
    own = [((0, 1), (0, 32), (0, 8), (low, low + 2)) for low in (0, 2)]
    box = ((0, 1), (0, 32), (0, 8), (0, 3))
    plan = SlabPlan.of([*written(x, *own), reader(x, 1, 0, box)], LANES)
    assert plan.slabs[x.value][0].box == own[0]
    assert plan.gatherings[x.value] == [Gathering(0, box, 1, 1)]


def test_a_read_that_is_apart_from_the_window_is_gathered() -> None:
    x = tensor(1, 32, 8, 4)
    plan = SlabPlan.of([*written(x, rows(0, 4), rows(4, 8)), reader(x, 1, 0, rows(5, 6))], LANES)
    assert plan.slabs[x.value][0].box == rows(0, 4)
    assert plan.gatherings[x.value] == [Gathering(0, rows(5, 6), 1, 1)]


def test_several_windows_of_one_core_have_a_slab_each() -> None:
    x = tensor(1, 32, 8, 4)
    writers = [Part(0, 0, x, rows(low, low + 4), ()) for low in (0, 4)]
    plan = SlabPlan.of([*writers, reader(x, 1, 0, rows(0, 5))], LANES)
    assert [slab.box for slab in plan.slabs[x.value]] == [rows(0, 4), rows(4, 8)]
    assert plan.gatherings[x.value] == [Gathering(0, rows(0, 5), 1, 1)]


def test_tensors_in_global_memory_have_no_slabs() -> None:
    x = tensor(1, 32, 8, 4, is_kept=False)
    plan = SlabPlan.of([*written(x, rows(0, 8)), reader(x, 1, 1, rows(0, 8))], LANES)
    assert not plan.tensors and not plan.slabs[x.value] and not plan.gatherings[x.value]


def test_claims_last_from_the_writer_to_the_last_reader() -> None:
    """Gathered data lie at their reader from when they are written, as they may be sent then."""
    x = tensor(1, 20, 8, 4)
    own = [((0, 1), (0, 20), (low, low + 4), (0, 4)) for low in (0, 4)]
    far = ((0, 1), (0, 20), (6, 7), (0, 3))
    readers = [reader(x, 3, 0, far), reader(x, 5, 0, far), reader(x, 7, 1, own[1])]
    plan = SlabPlan.of([*written(x, *own, layer=2), *readers], LANES)
    # The 20 channels of a pixel take two groups of 16 lanes.
    slab = 4 * 4 * 32
    assert list(plan.claims(x.value)) == [
        (0, Lifetime(slab, 2, 7)),
        (1, Lifetime(slab, 2, 7)),
        (0, Lifetime(align(3 * 32), 2, 5)),
    ]
    assert plan.layers_per_reader(x.value) == (7 - 2 + 1) / (1 + 3)


def test_a_tensor_that_nothing_reads_takes_memory_while_it_is_written() -> None:
    x = tensor(1, 16, 2, 2)
    box = whole(x.layout.shape)
    plan = SlabPlan.of(written(x, box, layer=4), LANES)
    assert list(plan.claims(x.value)) == [(0, Lifetime(64, 4, 4))]
    assert plan.layers_per_reader(x.value) == 1


SHAPE = (2, 48, 6, 5)


def boxes() -> st.SearchStrategy[Window]:
    """Draw any boxes of the tensor."""
    return st.tuples(
        *(
            st.lists(st.integers(0, size), min_size=2, max_size=2, unique=True).map(
                lambda bounds: (min(bounds), max(bounds))
            )
            for size in SHAPE
        )
    )


@given(
    st.tuples(*(st.integers(1, 2) for _ in SHAPE)),
    st.permutations(range(4)),
    st.lists(st.tuples(st.integers(0, 3), boxes(), st.booleans()), max_size=8),
)
def test_what_is_loaded_lies_in_one_buffer_of_its_core(
    split: tuple[int, ...], cores: list[int], reads: list[tuple[int, Window, bool]]
) -> None:
    x = tensor(*SHAPE)
    units = (1, LANES, 1, 1)
    axes = [parts((0, n), count, u) for n, count, u in zip(SHAPE, split, units, strict=True)]
    windows = list(product(*axes))
    owners = [cores[number % 4] for number in range(len(windows))]
    writers = [Part(0, core, x, own, ()) for core, own in zip(owners, windows, strict=True)]
    readers = [
        reader(x, layer, core, box, is_loaded=is_loaded)
        for layer, (core, box, is_loaded) in enumerate(reads, 1)
    ]
    plan = SlabPlan.of([*writers, *readers], LANES)
    slabs, gatherings = plan.slabs[x.value], plan.gatherings[x.value]

    assert [(slab.core, slab.own) for slab in slabs] == list(zip(owners, windows, strict=True))
    assert all(intersection(a.own, b.own) is None for a, b in combinations(slabs, 2))
    for slab in slabs:
        assert contains(slab.box, slab.own)
        assert _has_one_pitch(slab.own, slab.box, x.layout.order)
        loaded = [box for core, box, is_loaded in reads if is_loaded and core == slab.core]
        assert contains(reduce(hull, loaded, slab.own), slab.box)
    for layer, (core, box, is_loaded) in enumerate(reads, 1):
        at_hand = [slab.box for slab in slabs if slab.core == core] + [
            each.box
            for each in gatherings
            if each.core == core and each.first <= layer <= each.last
        ]
        assert not is_loaded or any(contains(one, box) for one in at_hand)
    wanted = {(core, box) for core, box, is_loaded in reads if is_loaded}
    assert {(each.core, each.box) for each in gatherings} <= wanted
    assert len({(each.core, each.box) for each in gatherings}) == len(gatherings)


def _has_one_pitch(own: Window, box: Window, order: tuple[int, ...]) -> bool:
    """Tell by numbering all elements of a box in their order in memory whether the rows of a window in it, along the
    last axis, begin at one distance.
    """
    sizes, (lows, _) = sizes_of(box), zip(*box, strict=True)
    numbers = np.arange(prod(sizes)).reshape([sizes[axis] for axis in order])
    inside = [slice(own[axis][0] - lows[axis], own[axis][1] - lows[axis]) for axis in order]
    begins = numbers[tuple(inside)][..., 0].ravel()
    return len(set(np.diff(begins).tolist())) <= 1
