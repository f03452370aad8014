"""Shapes against NumPy, and windows against counting them one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.dialects.network import shape
from smalti.dialects.network.shape import ShapeError

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


@settings(max_examples=50)
@given(
    size=st.integers(1, 20),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    begin=st.integers(0, 3),
    end=st.integers(0, 3),
    ceil_mode=st.booleans(),
)
def test_windows_are_counted(size, kernel, stride, dilation, begin, end, ceil_mode):
    window = dilation * (kernel - 1) + 1
    # In ceil mode one window may reach past the padded input by less than a stride.
    most = size + begin + end + (stride - 1 if ceil_mode else 0)
    if window > most:
        with pytest.raises(ShapeError, match="does not fit"):
            shape.window_output_size(size, kernel, stride, dilation, begin, end, ceil_mode)
        return
    starts = range(-begin, size + end, stride)
    whole = [s for s in starts if s + window <= size + end]
    if ceil_mode:
        # One more where the last leaves something over; but the last may not begin in the padding.
        if not whole:
            whole.append(-begin)
        elif whole[-1] + window < size + end:
            whole.append(whole[-1] + stride)
        if whole[-1] >= size:
            whole.pop()
    found = shape.window_output_size(size, kernel, stride, dilation, begin, end, ceil_mode)
    assert found == len(whole)


@settings(max_examples=50)
@given(a=SIZES, b=SIZES)
def test_broadcasting_is_numpys(a, b):
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ShapeError, match="do not broadcast"):
            shape.broadcast_shape(a, b)
        return
    assert shape.broadcast_shape(a, b) == expected


@settings(max_examples=50)
@given(a=SIZES, b=SIZES)
def test_matrix_products_are_numpys(a, b):
    try:
        expected = np.matmul(np.zeros(a), np.zeros(b)).shape
    except ValueError:
        with pytest.raises(ShapeError):
            shape.matmul_shape(a, b)
        return
    assert shape.matmul_shape(a, b) == expected
    assert shape.matmul_macs(a, b) == np.prod(expected, dtype=int) * a[-1]


def test_reduction_and_transpose():
    assert shape.reduce_shape((2, 3, 4), (0, 2), keepdims=True) == (1, 3, 1)
    assert shape.reduce_shape((2, 3, 4), (0, 2), keepdims=False) == (3,)
    assert shape.transpose_shape((2, 3, 4), (2, 0, 1)) == (4, 2, 3)
    assert shape.resample_shape((2, 3, 4), (7, 2), (7, 2), 1) == (2, 7, 4)
