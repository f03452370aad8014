"""Rows of scales among packed weights: what a unit makes of them is each weight times its scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.backends.numerics.device.group_scales import (
    most_factor,
    stored_rows,
    unpacked_groups,
    with_scales,
)
from smalti.backends.numerics.packing import pack_rows
from smalti.backends.numerics.storage import dtype_of


@given(
    st.integers(1, 70),
    st.integers(1, 9),
    st.integers(1, 40),
    st.sampled_from(["i8", "u8", "i16", "f16", "bf16", "f32"]),
    st.integers(0, 2**32 - 1),
)
def test_each_weight_is_multiplied_by_its_scale(
    depth: int, columns: int, group: int, input: str, seed: int
):
    random = np.random.default_rng(seed)
    weights = random.integers(-8, 8, (2, depth, columns))
    count = -(-depth // group)
    if input in ("i8", "u8", "i16"):
        scales = random.integers(1, 17, (2, count, columns)).astype(np.uint8)
        numbers = np.int8
    else:
        numbers = dtype_of(input)
        scales = random.uniform(1e-3, 1, (2, count, columns)).astype(numbers)
    stored = with_scales(pack_rows(weights.astype(np.int8), "i4"), scales, group, input, "i4")
    assert stored.shape[-2] == stored_rows(depth, group, input, "i4")
    found = unpacked_groups(stored, columns, depth, group, input, "i4")
    assert found.dtype == numbers
    for index in np.ndindex(weights.shape):
        block, row, column = index
        exact = np.float64(weights[index]) * np.float64(scales[block, row // group, column])
        assert found[index] == np.float32(exact).astype(numbers)


def test_whole_scales_leave_weights_in_i8():
    assert most_factor("i4") * -8 == -128


def test_rows_without_scales():
    assert stored_rows(70, 0, "i8", "i4") == stored_rows(70, 32, "i8", "none") == 70
    assert np.array_equal(stored_rows(np.array([70, 70]), np.array([0, 32]), "i8", "i4"), [70, 76])


def test_rows_must_be_those_of_the_columns():
    with pytest.raises(ValueError, match="rows of 4 bytes do not hold 9 of i4"):
        unpacked_groups(np.zeros((10, 4), np.uint8), 9, 8, 8, "i8", "i4")
