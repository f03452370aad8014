"""Boxes and what they cover, against masks of single elements."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from smalti.backends.instructions.coverage import Box, Coverage, window_around

SIZE = 96


@st.composite
def boxes(draw):
    """A box inside of a buffer of SIZE elements; its runs may lie anyhow, one on the other too."""
    grain = draw(st.sampled_from([1, 2, 8]))
    run = grain * draw(st.integers(1, SIZE // grain))
    room = SIZE - run
    sizes, strides = [], []
    for _ in range(draw(st.integers(0, 2))):
        size = draw(st.integers(1, 4))
        stride = grain * draw(st.integers(0, room // grain // max(1, size - 1)))
        room -= (size - 1) * stride
        sizes.append(size)
        strides.append(stride)
    return Box(grain * draw(st.integers(0, room // grain)), tuple(sizes), tuple(strides), run)


def elements(box: Box) -> np.ndarray:
    """The mask of a box, written out."""
    mask = np.zeros(SIZE, bool)
    for index in np.ndindex(*box.sizes):
        first = box.offset + sum(i * s for i, s in zip(index, box.strides, strict=True))
        mask[first : first + box.run] = True
    return mask


@given(st.lists(boxes(), max_size=6), boxes())
def test_boxes_cover_their_elements(added, asked):
    coverage, mask = Coverage(SIZE), np.zeros(SIZE, bool)
    for box in added:
        coverage.add(box)
        mask |= elements(box)
    inside = elements(asked)
    assert coverage.is_whole == mask.all()
    assert coverage.covers(asked) == mask[inside].all()
    assert coverage.touches(asked) == mask[inside].any()
    assert np.array_equal(coverage.part(asked, covered=True), mask & inside)
    assert np.array_equal(coverage.part(asked, covered=False), ~mask & inside)


@given(boxes(), st.sampled_from([2, 4]))
def test_a_scaled_box_has_the_bytes_of_its_elements(box, size):
    scaled = np.zeros(SIZE * size, bool)
    box.scaled(size).of(scaled, 1)[...] = True
    assert np.array_equal(scaled, np.repeat(elements(box), size))


def test_windows_say_how_many_elements_they_hold_if_not_all():
    mask = np.zeros((2, 4, 4), bool)
    mask[1, 1:3, 2:] = True
    assert window_around(mask) == "window [1, 2, 1, 3, 2, 4]"
    mask[1, 1, 2] = False
    assert window_around(mask) == "3 elements in window [1, 2, 1, 3, 2, 4]"
    assert window_around(np.ones((), bool)) == "window []"
