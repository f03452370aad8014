"""Small elements share bytes in files as ONNX's tensors have them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from smalti.backends.numerics.packing import pack, packed_bytes, unpack
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
