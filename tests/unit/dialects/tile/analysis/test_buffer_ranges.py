"""Ranges of buffers: a step uses each as a whole or not at all."""

from math import prod

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from smalti.backends.instructions.coverage import Box
from smalti.dialects import tile
from smalti.dialects.tile.analysis.buffer_ranges import (
    BufferRanges,
    extent_written,
    extents_read,
)

TOTAL = 64


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
    store = tile.CopyOp(
        0, a.output, x.output, sizes=[8], source_offset=48, source_strides=[1], target_strides=[1]
    )
    ranges = BufferRanges([*fills, store])
    # The ends are 0, 16, 32, 48, 56 and 64.
    assert ranges.is_cut(a.output) and not ranges.is_cut(x.output)
    written = [[number for _, number in ranges.written(fill)] for fill in fills]
    assert written == [[0, 1], [1, 2], [0, 1, 2, 3, 4]]
    assert ranges.read(store) == [(a.output, 3)] and ranges.written(store) == [(x.output, 0)]


def test_what_a_copy_pads_is_written():
    x, a = tile.GlobalOp("x", "input", (TOTAL,), "i8"), tile.AllocOp(0, (TOTAL,), "i8")
    part = tile.ViewOp(a.output, (32,), offset=8)
    strides = {"source_strides": [4, 1], "target_strides": [8, 1]}
    copy = tile.CopyOp(0, x.output, part.output, sizes=[2, 4], pad=2, pad_value=0, **strides)
    assert extent_written(copy) == (a.output, Box(8, (2,), (8,), 4 + 2))
    assert extents_read(copy) == [(x.output, Box(0, (2,), (4,), 4))]


def test_steps_that_use_different_columns_share_no_range():
    a = tile.AllocOp(0, (2, 4, 8), "f32")
    left, right = (
        tile.ViewOp(a.output, (2, 4, size), offset=low, pitch=8).output
        for low, size in ((0, 3), (3, 5))
    )
    rows = tile.ViewOp(a.output, (3, 8), offset=8).output
    steps = [
        *(tile.UnaryOp(0, each, each, kind="abs", columns=3) for each in (left, right)),
        tile.FillOp(0, rows, value=1.0),
    ]
    ranges = BufferRanges(steps)
    first, second, third = (set(ranges.written(step)) for step in steps)
    assert not first & second
    assert first & third and second & third and third - first - second == set()


@st.composite
def views(draw):
    """Return a buffer and views of it: ranges, and rows at one pitch of the whole buffer's."""
    pitch = draw(st.sampled_from([4, 6, 8]))
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 3)), pitch)
    a = tile.AllocOp(0, shape, "i8")
    found = []
    for _ in range(draw(st.integers(0, 6))):
        first, columns = draw(st.integers(0, pitch - 1)), draw(st.integers(1, pitch))
        row = draw(st.integers(0, prod(shape[:-1]) - 1))
        rows, columns = draw(st.integers(1, prod(shape[:-1]) - row)), min(columns, pitch - first)
        view = {"offset": row * pitch + first, "pitch": pitch}
        if draw(st.booleans()):
            total = rows * pitch - first if columns < pitch else rows * pitch
            found.append(tile.ViewOp(a.output, (total,), offset=view["offset"]))
        else:
            found.append(tile.ViewOp(a.output, (rows, columns), **view))
    return a, found


@given(views())
def test_ranges_are_common_exactly_where_elements_are(case):
    a, found = case
    total = prod(a.physical_shape)
    steps = [tile.UnaryOp(0, v.output, v.output, kind="abs", columns=1) for v in found]
    ranges = BufferRanges(steps)
    masks = np.zeros((len(steps), total), np.bool_)
    for mask, step in zip(masks, steps, strict=True):
        extent_written(step).box.of(mask, 1)[...] = True
    for mask, step in zip(masks, steps, strict=True):
        for other_mask, other in zip(masks, steps, strict=True):
            common = set(ranges.written(step)) & set(ranges.written(other))
            assert bool(common) == bool((mask & other_mask).any())
