"""Pieces tell where elements lie: checked against a buffer whose elements are numbered."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.dialects import tile
from smalti.passes.tile.tiler_bases.layer import Buffer
from smalti.passes.tile.tiler_bases.residents import Piece, Residents, Rows
from smalti.passes.tile.tiler_bases.slabs import Gathering, Slab, SlabPlan
from smalti.passes.tiling.layout import Layout, intermediate
from smalti.passes.tiling.windows import Window, contains, sizes_of

LANES = 16


def piece_of(box: Window, *, spare: int = 0, core: int = 0) -> Piece:
    """A piece of a tensor [N,C,H,W] that is channel-last in a buffer of its own."""
    batch, channels, height, width = sizes_of(box)
    pitch = channels + spare
    buffer = tile.AllocOp(core, (batch, height, width, pitch), "i8").output
    strides = (height * width * pitch, 1, width * pitch, pitch)
    return Piece(buffer, core, box, strides, 1, spare)


def positions(box: Window) -> product[tuple[int, ...]]:
    """All positions of a box."""
    return product(*(range(low, high) for low, high in box))


def test_elements_lie_where_they_do_in_an_array() -> None:
    box = ((0, 2), (16, 28), (3, 6), (1, 5))
    piece = piece_of(box, spare=4)
    shape = piece.value.type.get_shape()  # pyright: ignore[reportAttributeAccessIssue]
    numbers = np.arange(prod(shape)).reshape(shape)
    for n, c, h, w in positions(box):
        assert piece.offset_of((n, c, h, w)) == numbers[n, h - 3, w - 1, c - 16]


def within(draw: st.DrawFn, box: Window) -> Window:
    """Draw a box in a box."""
    result: list[tuple[int, int]] = []
    for low, high in box:
        first = draw(st.integers(low, high - 1))
        result.append((first, draw(st.integers(first + 1, high))))
    return tuple(result)


@st.composite
def parts_of_parts(draw: st.DrawFn) -> tuple[Piece, Window, Window]:
    lows = draw(st.tuples(*[st.integers(0, 3)] * 4))
    box = tuple((low, low + draw(st.integers(1, 4))) for low in lows)
    outer = within(draw, box)
    return piece_of(box, spare=draw(st.integers(0, 3))), outer, within(draw, outer)


@given(parts_of_parts())
def test_elements_of_a_part_lie_where_they_do_in_the_piece(
    case: tuple[Piece, Window, Window],
) -> None:
    piece, outer, inner = case
    part = piece.part(outer).part(inner)
    assert part.box == inner and part.value is piece.value
    assert all(part.offset_of(at) == piece.offset_of(at) for at in positions(inner))
    assert part.spare == (piece.spare if inner[1][1] == piece.box[1][1] else 0)


def test_a_piece_is_seen_without_the_axes_of_one_element() -> None:
    piece = piece_of(((0, 1), (16, 28), (0, 1), (3, 6)), spare=4)
    seen = piece.seen_with(intermediate((28, 8), LANES), (1, 28, 1, 8))
    assert seen.box == ((16, 28), (3, 6)) and seen.strides == (1, 16)
    assert (seen.last_axis, seen.spare) == (0, 4)
    for c, w in positions(seen.box):
        assert seen.offset_of((c, w)) == piece.offset_of((0, c, 0, w))


def test_a_piece_is_seen_with_more_axes_of_one_element() -> None:
    piece = piece_of(((0, 1), (16, 28), (0, 1), (3, 6)), spare=4)
    layout = Layout((1, 1, 28, 8, 1), (0, 1, 4, 3, 2), 32)
    seen = piece.seen_with(layout, (1, 28, 1, 8))
    assert seen.box == ((0, 1), (0, 1), (16, 28), (3, 6), (0, 1))
    assert (seen.last_axis, seen.spare) == (2, 4)
    assert seen.offset_of((0, 0, 20, 5, 0)) == piece.offset_of((0, 20, 0, 5))


def test_a_piece_whose_contiguous_axis_is_not_seen_has_no_spare_elements() -> None:
    """One channel, padded: as a tensor of pixels alone, no axis is contiguous."""
    piece = piece_of(((0, 1), (0, 1), (0, 4), (3, 6)), spare=15)
    seen = piece.seen_with(Layout((4, 8), (0, 1), 16), (1, 1, 4, 8))
    assert seen.strides == (48, 16) and (seen.last_axis, seen.spare) == (None, 0)
    assert seen.part(((1, 2), (4, 6))).offset_of((1, 5)) == piece.offset_of((0, 0, 1, 5))


def test_a_piece_of_one_element_is_seen_with_any_axes() -> None:
    piece = piece_of(((0, 1),) * 4, spare=15)
    assert piece.seen_with(Layout((1,), (0,), 16), (1, 1, 1, 1)).offset_of((0,)) == 0


CHANNEL_LAST = (0, 2, 3, 1)


def test_rows_that_follow_one_another_have_no_gaps() -> None:
    piece = piece_of(((0, 1), (16, 28), (3, 8), (0, 4)), spare=4)
    assert piece.rows(piece.box, CHANNEL_LAST) == Rows(0, 16, 16)
    part = ((0, 1), (16, 28), (5, 7), (0, 4))
    assert piece.rows(part, CHANNEL_LAST) == Rows(2 * 4 * 16, 16, 16)


def test_some_channels_are_rows_at_a_pitch() -> None:
    piece = piece_of(((0, 1), (0, 28), (0, 5), (0, 4)), spare=4)
    first, last = (((0, 1), channels, (1, 5), (0, 4)) for channels in ((0, 16), (16, 28)))
    assert piece.rows(first, CHANNEL_LAST) == Rows(4 * 32, 16, 32)
    # What pads the tensor follows its last channels only.
    assert piece.rows(last, CHANNEL_LAST) == Rows(4 * 32 + 16, 16, 32)


def test_rows_begin_at_one_pitch_or_are_none() -> None:
    piece = piece_of(((0, 1), (0, 32), (0, 5), (0, 4)))
    assert piece.rows(((0, 1), (0, 32), (0, 5), (1, 3)), CHANNEL_LAST) is None
    # In one row of the image there is only one pitch.
    assert piece.rows(((0, 1), (0, 32), (2, 3), (1, 3)), CHANNEL_LAST) == Rows(9 * 32, 32, 32)
    one = ((0, 1), (16, 32), (4, 5), (3, 4))
    assert piece.rows(one, CHANNEL_LAST) == Rows(19 * 32 + 16, 16, 16)
    assert piece.rows(((0, 1), (0, 32), (0, 5), (1, 2)), CHANNEL_LAST) == Rows(32, 32, 4 * 32)


def test_rows_lie_along_the_contiguous_axis() -> None:
    piece = piece_of(((0, 1), (0, 32), (0, 5), (0, 4)))
    assert piece.rows(piece.box, (0, 1, 2, 3)) is None


@pytest.fixture
def kept() -> tuple[Residents, Buffer]:
    """A tensor of two slabs, which overlap, and a gathering."""
    layout = intermediate((1, 20, 8, 4), LANES)
    value = tile.GlobalOp("t", "scratch", layout.physical, "i8").output
    buffer = Buffer(value, "t", layout, "i8", "scratch", is_kept=True)
    plan = SlabPlan(LANES)
    plan.tensors[value] = buffer
    plan.slabs[value] = [Slab(0, rows(0, 4), rows(0, 5)), Slab(1, rows(4, 8), rows(3, 8))]
    plan.gatherings[value] = [Gathering(1, rows(0, 8), 1, 2)]
    return Residents(plan), buffer


def rows(low: int, high: int) -> Window:
    return ((0, 1), (0, 20), (low, high), (0, 4))


def test_each_element_is_in_one_piece_but_may_be_held_by_several(
    kept: tuple[Residents, Buffer],
) -> None:
    residents, buffer = kept
    assert residents.pieces_of(buffer) == [] and residents.holding(buffer, 0, rows(0, 1)) is None
    for slab in residents.plan.slabs[buffer.value]:
        shape = residents.plan.shape(buffer, slab.box)
        residents.add_slab(buffer, slab, tile.AllocOp(slab.core, shape, "i8").output)
    pieces = residents.pieces_of(buffer)
    for at in positions(rows(0, 8)):
        holders = [p for p in pieces if contains(p.box, tuple((i, i + 1) for i in at))]
        assert len(holders) == 1
    assert [(p.core, p.box, p.offset, p.spare) for p in pieces] == [
        (0, rows(0, 4), 0, 12),
        (1, rows(4, 8), 4 * 32, 12),
    ]
    for core, box, held in ((0, rows(3, 5), True), (1, rows(3, 5), True), (0, rows(3, 6), False)):
        assert (residents.holding(buffer, core, box) is not None) == held


def test_slabs_receive_what_others_compute(kept: tuple[Residents, Buffer]) -> None:
    residents, buffer = kept
    first, second = residents.plan.slabs[buffer.value]
    assert residents.slab_of(buffer, 1, rows(5, 6)) is second
    (gathering,) = residents.plan.gatherings[buffer.value]
    assert list(residents.sends(buffer, first, rows(2, 4))) == [
        (rows(2, 3), [gathering]),
        (rows(3, 4), [second, gathering]),
    ]
    residents.plan.gatherings[buffer.value] = []
    assert list(residents.sends(buffer, first, rows(0, 3))) == []


def test_what_is_gathered_is_held(kept: tuple[Residents, Buffer]) -> None:
    residents, buffer = kept
    assert residents.gathering(buffer, 0, rows(2, 8)) is None
    found = residents.gathering(buffer, 1, rows(2, 8))
    assert found is not None and residents.holding(buffer, 1, rows(2, 8)) is None
    value = tile.AllocOp(1, residents.plan.shape(buffer, found.box), "i8").output
    residents.add_gathered(buffer, found, value)
    residents.note_sent(buffer, found, rows(0, 6))
    assert residents.holding(buffer, 1, rows(2, 8)) is None
    residents.note_sent(buffer, found, rows(6, 8))
    held = residents.holding(buffer, 1, rows(2, 8))
    assert held is not None and held.value is value
    assert residents.holding(buffer, 0, rows(2, 8)) is None
