"""Ranges of buffers: a step uses each as a whole or not at all."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from smalti.dialects import tile
from smalti.dialects.tile.analysis.buffer_ranges import (
    BufferRanges,
    extent_written,
    extents_read,
    is_covered,
    whole_of,
)

TOTAL = 64


def numbers(ranges):
    return [number for _, number in ranges]


def test_a_buffer_without_views_is_one_range():
    x, a = tile.GlobalOp("x", "input", (TOTAL,), "i8"), tile.AllocOp(0, (TOTAL,), "i8")
    box = {"source_strides": [1], "target_strides": [1]}
    load = tile.CopyOp(0, x.output, a.output, sizes=[8], target_offset=16, **box)
    work = tile.SoftmaxOp(0, a.output, a.output, columns=TOTAL)
    ranges = BufferRanges([load, work])
    assert not ranges.is_cut(a.output)
    assert ranges.read(load) == [(x.output, 0)] and ranges.written(load) == [(a.output, 0)]
    assert ranges.read(work) == ranges.written(work) == [(a.output, 0)]


def test_a_buffer_is_cut_where_steps_begin_and_end():
    x, a = tile.GlobalOp("x", "input", (TOTAL,), "i8"), tile.AllocOp(0, (TOTAL,), "i8")
    low, middle = (tile.ViewOp(a.output, (32,), offset=offset) for offset in (0, 16))
    fills = [tile.FillOp(0, value, value=1.0) for value in (low.output, middle.output, a.output)]
    # Rows of four elements at the beginning of eight: elements 40 to 51.
    strides = {"source_strides": [4, 1], "target_strides": [8, 1]}
    copy = tile.CopyOp(0, x.output, middle.output, sizes=[2, 4], target_offset=24, **strides)
    store = tile.CopyOp(
        0, a.output, x.output, sizes=[8], source_offset=48, source_strides=[1], target_strides=[1]
    )
    ranges = BufferRanges([*fills, copy, store])
    # The ends are 0, 16, 32, 40, 48, 52, 56 and 64.
    assert ranges.is_cut(a.output) and not ranges.is_cut(x.output)
    assert ranges.first_user(a.output) == 0 and ranges.first_user(x.output) == -1
    assert numbers(ranges.written(fills[0])) == [0, 1]
    assert numbers(ranges.written(fills[1])) == [1, 2, 3]
    assert numbers(ranges.written(fills[2])) == [0, 1, 2, 3, 4, 5, 6]
    assert numbers(ranges.written(copy)) == [3, 4]
    assert numbers(ranges.read(store)) == [4, 5]
    assert ranges.written(store) == [(x.output, 0)]


def test_what_a_copy_pads_is_written():
    x, a = tile.GlobalOp("x", "input", (TOTAL,), "i8"), tile.AllocOp(0, (TOTAL,), "i8")
    part = tile.ViewOp(a.output, (32,), offset=8)
    strides = {"source_strides": [4, 1], "target_strides": [8, 1]}
    copy = tile.CopyOp(0, x.output, part.output, sizes=[2, 4], pad=2, pad_value=0, **strides)
    assert extent_written(copy) == (a.output, 8, 8 + 8 + 4 + 2)
    assert extents_read(copy) == [(x.output, 0, 8)]


@given(st.lists(st.tuples(st.integers(0, TOTAL - 1), st.integers(1, TOTAL)), max_size=8))
def test_ranges_are_common_exactly_where_elements_are(bounds):
    a = tile.AllocOp(0, (TOTAL,), "i8")
    views = [tile.ViewOp(a.output, (min(size, TOTAL - low),), offset=low) for low, size in bounds]
    fills = [tile.FillOp(0, view.output, value=1.0) for view in views]
    ranges = BufferRanges(fills)
    masks = np.zeros((len(fills), TOTAL), np.bool_)
    for mask, fill in zip(masks, fills, strict=True):
        _, low, high = extent_written(fill)
        mask[low:high] = True
    for mask, fill in zip(masks, fills, strict=True):
        for other_mask, other in zip(masks, fills, strict=True):
            common = set(ranges.written(fill)) & set(ranges.written(other))
            assert bool(common) == bool((mask & other_mask).any())
    extents = [extent_written(fill) for fill in fills]
    assert is_covered(whole_of(a.output), extents) == bool(masks.any(axis=0).all())
