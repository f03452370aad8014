"""Small elements share bytes in files as ONNX's tensors have them."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from smalti.backends.numerics.packing import (
    pack,
    pack_rows,
    packed_bytes,
    unpack,
    unpack_rows,
    weight_row_bytes,
)
from smalti.backends.numerics.storage import SMALL_NAMES, STORAGE_TYPES, dtype_of


@given(st.sampled_from(SMALL_NAMES), st.lists(st.integers(0, 255), max_size=70))
def test_bytes_are_those_of_onnx_tensors(name: str, given_codes: list[int]):
    bits = STORAGE_TYPES[name].file_bits
    codes = np.array(given_codes, np.uint8) & ((1 << bits) - 1)
    array = codes.view(dtype_of(name))
    packed = pack(array, name)
    tensor = numpy_helper.from_array(array, "t")
    assert packed.tobytes() == tensor.raw_data
    assert packed.size == packed_bytes(array.size, name)
    assert tensor.data_type == helper.np_dtype_to_tensor_dtype(array.dtype)
    back = unpack(packed, array.shape, name)
    assert back.dtype == array.dtype and back.tobytes() == array.tobytes()


def test_axes_stay_and_wrong_sizes_are_told():
    array = np.arange(6).reshape(2, 3).astype(np.int8).astype(dtype_of("i4"))
    np.testing.assert_array_equal(unpack(pack(array, "i4"), (2, 3), "i4"), array)
    np.testing.assert_array_equal(unpack(pack(array.T, "i4"), (3, 2), "i4"), array.T)
    with pytest.raises(ValueError, match="3 bytes, 4 are needed"):
        unpack(pack(array, "i4"), (7,), "i4")


@given(st.integers(0, 9), st.integers(0, 9), st.randoms(use_true_random=False))
def test_each_row_of_packed_weights_begins_at_a_byte(rows: int, columns: int, random: Random):
    values = [[random.randint(-8, 7) for _ in range(columns)] for _ in range(rows)]
    array = np.array(values, np.int8).reshape(rows, columns)
    packed = pack_rows(array, "i4")
    assert packed.dtype == np.uint8 and packed.shape == (rows, (columns + 1) // 2)
    for row, stored in zip(array, packed, strict=True):
        # An independent definition: two's complement, the first element in the low bits.
        wanted = [
            sum(
                (int(value) & 15) << 4 * place for place, value in enumerate(row[first : first + 2])
            )
            for first in range(0, columns, 2)
        ]
        assert stored.tolist() == wanted
    np.testing.assert_array_equal(unpack_rows(packed, columns, "i4"), array)


def test_packed_rows_that_do_not_fit_are_told():
    with pytest.raises(ValueError, match="weights of i4 lie in -8 to 7, not -9 to 3"):
        pack_rows(np.array([-9, 3]), "i4")
    with pytest.raises(ValueError, match="rows of 2 bytes do not hold 5 elements of i4"):
        unpack_rows(np.zeros((3, 2), np.uint8), 5, "i4")
    with pytest.raises(ValueError, match="elements of 'i8' do not share bytes in memory"):
        pack_rows(np.zeros(2), "i8")


def test_bytes_of_a_row_of_weights():
    assert weight_row_bytes(5, "i16", "none") == 10
    assert weight_row_bytes(5, "i8", "i4") == 3
    np.testing.assert_array_equal(weight_row_bytes(np.array([4.0, 5.0]), "i8", "i4"), [2, 3])
