"""Transpositions lead from the source's order of axes to the target's, and keep its runs."""

from math import prod

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from smalti.passes.tiling.transposition import Transposition, transposition_of


def test_an_image_becomes_pixels_and_back():
    shape = (2, 24, 4, 5)
    pixels = transposition_of((0, 1, 2, 3), (0, 2, 3, 1), shape)
    assert pixels == Transposition((0,), (1,), (2, 3))
    assert pixels.sizes(shape) == (2, 24, 20)
    assert pixels.loop_order == (0, 2, 3, 1)
    rows = transposition_of((0, 2, 3, 1), (0, 1, 2, 3), shape)
    assert rows == Transposition((0,), (2, 3), (1,))
    assert rows.before == (0, 2, 3, 1)


def test_one_contiguous_axis_needs_no_transposition():
    assert transposition_of((0, 1, 2), (1, 0, 2), (3, 4, 5)) is None
    assert transposition_of((0, 1, 2), (0, 2, 1), (3, 1, 5)) is None
    assert transposition_of((0, 1), (1, 0), (1, 1)) is None


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4).flatmap(
        lambda shape: st.tuples(
            st.just(tuple(shape)),
            st.permutations(range(len(shape))),
            st.permutations(range(len(shape))),
        )
    )
)
def test_a_transposed_box_lies_in_the_targets_order(case):
    shape, source, target = case
    turned = transposition_of(source, target, shape)
    longer = [axis for axis in source if shape[axis] > 1]
    if turned is None:
        assert not longer or longer[-1] == [axis for axis in target if shape[axis] > 1][-1]
        return
    assert turned.columns[-1] == longer[-1]
    assert sorted(turned.loop_order) == sorted(turned.before) == list(range(len(shape)))
    x = np.arange(prod(shape)).reshape(shape)
    before = x.transpose(turned.before).reshape(turned.sizes(shape))
    after = before.transpose(0, 2, 1)
    np.testing.assert_array_equal(after.ravel(), x.transpose(target).ravel())
