"""Layouts: every element has one place, channels of a pixel are one padded run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.passes.tiling.layout import (
    Layout,
    channel_last,
    intermediate,
    round_up,
    row_major,
    with_unit_axis,
)


def test_channel_last():
    layout = channel_last((2, 3, 4, 5), 16)
    assert layout.order == (0, 2, 3, 1)
    assert layout.physical == (2, 4, 5, 16)
    assert layout.strides == (320, 1, 80, 16)
    assert (layout.last_axis, layout.extent, layout.padding, layout.size) == (1, 3, 13, 640)
    with pytest.raises(ValueError, match="no channels"):
        channel_last((2, 3), 16)


def test_low_ranks_are_row_major():
    assert intermediate((3, 10), 16).physical == (3, 16)
    assert intermediate((1, 8, 4, 4), 16).order == (0, 2, 3, 1)
    scalar = row_major((), 16)
    assert (scalar.physical, scalar.strides, scalar.size, scalar.last_axis) == ((), (), 1, None)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 8), st.randoms())
def test_elements_have_places_of_their_own(shape: list[int], multiple: int, random):
    order = list(range(len(shape)))
    random.shuffle(order)
    layout = Layout(tuple(shape), tuple(order), round_up(shape[order[-1]], multiple))
    places = sum(
        np.arange(size).reshape([-1 if a == axis else 1 for a in range(len(shape))]) * stride
        for axis, (size, stride) in enumerate(zip(shape, layout.strides, strict=True))
    )
    flat = np.ravel(places)
    assert len(set(flat.tolist())) == flat.size and flat.max() < layout.size
    physical = np.arange(layout.size).reshape(layout.physical)[..., : layout.extent]
    np.testing.assert_array_equal(np.broadcast_to(places, shape).transpose(order), physical)


def test_a_unit_axis_changes_no_place():
    layout = channel_last((2, 3, 4, 5), 16)
    seen = with_unit_axis(layout, 1)
    assert seen.shape == (2, 1, 3, 4, 5)
    assert [s for axis, s in enumerate(seen.strides) if axis != 1] == list(layout.strides)
    assert seen.size == layout.size and seen.last_axis == 2


def test_bad_layouts():
    with pytest.raises(ValueError, match="no permutation"):
        Layout((2, 3), (0, 0), 3)
    with pytest.raises(ValueError, match="less than"):
        Layout((2, 3), (0, 1), 2)
