"""The skyline heuristic: never an overlap, the lowest segment first, the best buffer by priority."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.passes.tiling.allocation import Lifetime, first_conflict
from smalti.passes.tiling.skyline import skyline

requests = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 30), st.integers(0, 20)), min_size=1, max_size=150
)


def placed(buffers, priority) -> list[int]:
    """Return the addresses of buffers, each its size and the first and the last moment of its use."""
    sizes, first, last = (np.array(column, np.int64) for column in zip(*buffers, strict=True))
    return skyline(sizes, first, last, np.array(priority)).tolist()


@settings(max_examples=100)
@given(requests, st.randoms(use_true_random=False))
def test_live_buffers_never_overlap(request, random):
    buffers = [(size, first, first + length) for size, first, length in request]
    priority = list(range(len(buffers)))
    random.shuffle(priority)
    lifetimes = [Lifetime(*buffer) for buffer in buffers]
    assert first_conflict(lifetimes, placed(buffers, priority)) is None


def test_the_first_by_priority_comes_lowest():
    buffers = [(3, 0, 4), (2, 0, 4), (1, 0, 4)]
    assert placed(buffers, [1, 0, 2]) == [2, 0, 5]


def test_the_lowest_segment_is_filled_first():
    # The second buffer stands beside the first one, where the third one fits no longer.
    buffers = [(4, 0, 1), (3, 2, 3), (1, 0, 3), (1, 2, 3)]
    assert placed(buffers, [0, 1, 2, 3]) == [0, 0, 4, 3]


def test_a_segment_that_holds_no_buffer_is_lifted_to_its_lower_neighbor():
    buffers = [(5, 0, 1), (2, 4, 5), (1, 2, 5)]
    assert placed(buffers, [0, 1, 2]) == [0, 0, 2]
