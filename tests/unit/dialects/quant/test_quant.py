"""Quantized types: constructors, accessors, and text that comes back as it was, by random types
too.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.dialects.context import make_context
from smalti.dialects.ir.attribute import ints, reals
from smalti.dialects.quant import UniformQuantizedType, calibrated, uniform, uniform_per_axis
from xdsl.dialects.builtin import IntAttr, IntegerType, f32
from xdsl.parser import Parser
from xdsl.utils.exceptions import VerifyException

SCALES = st.floats(min_value=1e-30, max_value=1e30, allow_nan=False)


def parsed(text: str):
    return Parser(make_context(), text).parse_type()


def test_one_scale():
    type = uniform("i8", 0.5, -3)
    assert (type.storage_name, type.scale, type.zero_point) == ("i8", 0.5, -3)
    assert type.is_per_tensor and not type.is_per_axis
    assert str(type) == "!quant.uniform<i8:f32, 5.000000e-01:-3>"
    with pytest.raises(ValueError, match="not quantized along an axis"):
        _ = type.axis


def test_a_scale_for_each_channel():
    type = uniform_per_axis("u8", 1, [0.5, 0.25], [0, 7])
    assert (type.axis, type.scales, type.zero_points) == (1, (0.5, 0.25), (0, 7))
    assert str(type) == "!quant.uniform<u8:f32:1, {5.000000e-01,2.500000e-01:7}>"
    with pytest.raises(ValueError, match="more than one scale"):
        _ = type.scale


def test_both_spellings_of_unsigned_storage_are_one_type():
    assert parsed("!quant.uniform<ui8:f32, 0.5>") == parsed("!quant.uniform<u8:f32, 0.5>")


def test_a_sub_channel_type_keeps_its_grid():
    scales = "{{5.000000e-01, 2.500000e-01:3}, {1.000000e+00, 2.000000e+00}}"
    text = f"!quant.uniform<i8:f32:{{0:2, 1:4}}, {scales}>"
    type = parsed(text)
    assert isinstance(type, UniformQuantizedType)
    assert type.is_sub_channel and type.grid.get_values() == (2, 2)
    assert str(type) == text


def test_a_scale_that_mlir_prints_by_its_bits_is_read():
    type = parsed("!quant.uniform<i8:f32, 0x4170000010000000>")
    assert isinstance(type, UniformQuantizedType) and type.scale == 16777217.0


@settings(max_examples=50)
@given(
    width=st.sampled_from([2, 4, 8, 16, 32]),
    unsigned=st.booleans(),
    scales=st.lists(SCALES, min_size=1, max_size=5),
    axis=st.one_of(st.none(), st.integers(0, 4)),
    data=st.data(),
)
def test_text_comes_back_as_it_was(width, unsigned, scales, axis, data):
    low, high = (0, 2**width - 1) if unsigned else (-(2 ** (width - 1)), 2 ** (width - 1) - 1)
    low = data.draw(st.integers(low, high - 1))
    high = data.draw(st.integers(low + 1, high))
    storage = f"{'u' if unsigned else 'i'}{width}"
    if axis is None:
        zero_point = data.draw(st.integers(low, high))
        type = uniform(storage, scales[0], zero_point, storage_min=low, storage_max=high)
    else:
        zero_points = [data.draw(st.integers(low, high)) for _ in scales]
        type = uniform_per_axis(
            storage, axis, scales, zero_points, storage_min=low, storage_max=high
        )
    assert parsed(str(type)) == type


@settings(max_examples=50)
@given(low=st.floats(-1e30, 1e30), width=st.floats(1e-3, 1e30))
def test_calibrated_text_comes_back_as_it_was(low, width):
    if not low < low + width:
        return
    type = calibrated(f32, low, low + width)
    assert (type.low, type.high) == (low, low + width)
    assert parsed(str(type)) == type


def test_scales_and_zero_points_must_be_as_many():
    with pytest.raises(VerifyException, match="2 scales but 1 zero points"):
        UniformQuantizedType(
            IntegerType(8), f32, IntAttr(-128), IntAttr(127), reals([1.0, 2.0]), ints([0]),
            ints([0]), ints([]), ints([]),
        )  # fmt: skip


def test_unknown_storage_is_an_error():
    with pytest.raises(ValueError, match="'f8' is no integer storage type"):
        uniform("f8", 1.0)
