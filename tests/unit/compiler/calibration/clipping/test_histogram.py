"""Histograms of streams: the counts do not depend on the order of numbers or on how they are cut into parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.compiler.calibration.clipping.histogram import BINS, Histogram
from smalti.compiler.calibration.clipping.log_histogram import LogHistogram

FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)
NUMBERS = st.lists(FLOATS, min_size=1, max_size=50).map(lambda each: np.array(each, np.float32))


def histogram(*parts: np.ndarray) -> Histogram:
    made = Histogram()
    for part in parts:
        made.add(part)
    return made


@given(NUMBERS, st.data())
def test_parts_in_any_order_count_as_the_whole(values, data):
    order = data.draw(st.permutations(range(values.size)))
    cut = data.draw(st.integers(0, values.size))
    shuffled = values[order]
    whole, parts = histogram(values), histogram(shuffled[:cut], shuffled[cut:])
    assert np.array_equal(whole.counts, parts.counts)
    assert np.array_equal(whole.edges, parts.edges)


@given(NUMBERS)
def test_every_number_lies_in_the_bin_that_counts_it(values):
    made = histogram(values)
    values = values[values != 0].astype(np.float64)
    assert made.counts.sum() == values.size and made.counts.size <= BINS
    for index, count in enumerate(made.counts):
        if count:
            low, high = made.edges[index : index + 2]
            assert np.count_nonzero((low <= values) & (values < high)) == count


def test_bins_are_as_narrow_as_their_number_allows():
    made = histogram(np.array([0.25, 1.0], np.float32), np.array([-2.5, 0.0], np.float32))
    assert made.edges[1] - made.edges[0] == 2**-12  # 16,384 bins reach over 4 at most
    assert made.counts.sum() == 3


@pytest.mark.parametrize("low", [1e-45, 1e-38, 1e-3])
def test_a_range_grows_by_many_powers_of_two(low):
    made = histogram(np.array([low], np.float32), np.array([1e38], np.float32))
    assert made.counts.sum() == 2


def test_zeros_alone_have_no_bins():
    assert histogram(np.zeros((2, 3), np.float32)).counts.size == 0


@given(NUMBERS, st.data())
def test_logarithmic_parts_in_any_order_count_as_the_whole(values, data):
    order = data.draw(st.permutations(range(values.size)))
    cut = data.draw(st.integers(0, values.size))
    whole, parts = LogHistogram(), LogHistogram()
    whole.add(values)
    for part in (values[order][:cut], values[order][cut:]):
        parts.add(part)
    assert all(np.array_equal(one, other) for one, other in zip(whole.bins(), parts.bins(), strict=True))  # fmt: skip


@given(NUMBERS)
def test_logarithmic_bins_hold_their_numbers(values):
    made = LogHistogram()
    made.add(values)
    low, high, counts = made.bins()
    assert counts.sum() == values.size and np.all(low <= high)
    assert np.all(high - low <= np.maximum(np.abs(high) / 128, 1e-37))
    for value in values.astype(np.float64):
        assert np.any((low <= value) & (value <= high))
    assert np.all(low[1:] + high[1:] >= low[:-1] + high[:-1])
