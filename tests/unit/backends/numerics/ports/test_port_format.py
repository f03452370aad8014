"""What the host does at ports: it undoes what it did, and refuses what a port cannot hold."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from smalti.backends.numerics.ports.port_format import PortFormat, layout_of, order_of
from smalti.backends.numerics.quantization import Quantization, dequantize, quantize

NHWC = (0, 2, 3, 1)
IMAGE = PortFormat((1, 3, 4, 5), "i8", NHWC, "f32", Quantization(0.1, -3))


def test_an_image_in_the_ports_layout_and_type():
    values = np.random.default_rng(0).normal(size=(2, 1, 3, 4, 5)).astype(np.float32)
    stored = IMAGE.stored(values)
    np.testing.assert_array_equal(stored, quantize(values, 0.1, -3, "i8"))
    raw = IMAGE.given(stored, raw=True)
    assert raw.shape[1:] == IMAGE.port_shape == (1, 4, 5, 3)
    np.testing.assert_array_equal(raw, stored.transpose(0, 1, 3, 4, 2))
    np.testing.assert_array_equal(IMAGE.stored(raw, raw=True), stored)
    np.testing.assert_array_equal(IMAGE.given(stored), dequantize(stored, 0.1, -3))
    assert IMAGE.array_type(raw=True) == ((1, 4, 5, 3), "i8")
    assert IMAGE.array_type(raw=False) == ((1, 3, 4, 5), "f32")
    assert str(IMAGE) == ("1x4x5x3 i8 nhwc, scale 0.1 zero point -3; in the model 1x3x4x5 f32")


@given(
    hnp.arrays(np.int8, (2, 1, 3, 4, 5)),
    st.floats(2.0**-40, 2.0**40, width=32),
    st.integers(-128, 127),
)
def test_storage_survives_the_models_numbers(stored: np.ndarray, scale: float, zero_point: int):
    form = PortFormat((1, 3, 4, 5), "i8", NHWC, "f32", Quantization(scale, zero_point))
    assert form.error() is None
    np.testing.assert_array_equal(form.stored(form.given(stored)), stored)


@pytest.mark.parametrize("storage", ["f16", "bf16"])
def test_half_floats_are_rounded_once(storage: str):
    form = PortFormat((3,), storage, (0,), "f32")
    values = np.array([[1 + 2.0**-9 + 2.0**-20, 1e6, -0.0]], np.float32)
    dtype = {"f16": np.float16, "bf16": ml_dtypes.bfloat16}[storage]
    with np.errstate(over="ignore"):
        expected = values.astype(dtype)
    np.testing.assert_array_equal(form.stored(values), expected)
    np.testing.assert_array_equal(form.given(expected), expected.astype(np.float32))


def test_a_plain_port_leaves_arrays_alone():
    plain = PortFormat.plain((2, 3), "f32")
    values = np.ones((1, 2, 3), np.float32)
    assert plain.is_plain and plain.stored(values) is values and plain.given(values) is values
    assert str(plain) == "2x3 f32" and str(PortFormat.plain((), "i64")) == "scalar i64"
    assert plain.raw_hint(True) is None


def test_raw_arrays_have_the_ports_elements():
    assert IMAGE.raw_array(np.zeros(2, np.int8)).dtype == np.int8
    for wrong in (np.float32, np.uint8, np.int16):
        with pytest.raises(ValueError, match="the port holds i8"):
            IMAGE.raw_array(np.zeros(2, wrong))
    # Files know no bf16 and hold f32.
    half = PortFormat((2,), "bf16", (0,), "f32")
    assert half.raw_array(np.array([1.5, np.nan], np.float32)).dtype == ml_dtypes.bfloat16
    with pytest.raises(ValueError, match="the port holds bf16"):
        half.raw_array(np.array([1 + 2.0**-20], np.float32))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (PortFormat((2,), "i9", (0,), "f32"), "there is no storage type 'i9'"),
        (PortFormat((2,), "f32", (0,), "f33"), "there is no storage type 'f33'"),
        (PortFormat((2, 3), "f32", (0, 0), "f32"), "no permutation of 2 axes"),
        (PortFormat((2,), "i8", (0,), "f32"), "f32 cannot become i8 without a scale"),
        (PortFormat((2,), "i8", (0,), "i32", Quantization(1, 0)), "not i32 into i8"),
        (PortFormat((2,), "f16", (0,), "f32", Quantization(1, 0)), "not f32 into f16"),
        (PortFormat((2,), "bool", (0,), "f32", Quantization(1, 0)), "not f32 into bool"),
        (PortFormat((2,), "i64", (0,), "f32", Quantization(1, 0)), "at most 32 bits"),
        (PortFormat((2,), "i8", (0,), "f32", Quantization(0, 0)), "a scale is a positive number"),
        (PortFormat((2,), "i8", (0,), "f32", Quantization(np.nan, 0)), "a positive number"),
        (PortFormat((2,), "u8", (0,), "f32", Quantization(1, -1)), "zero point -1 is beyond u8"),
    ],
)
def test_what_cannot_be_is_said(form: PortFormat, message: str):
    assert message in str(form.error())


def test_layouts_have_names():
    assert order_of("nhwc", 4) == NHWC and order_of("nhwc", 3) == (0, 1, 2)
    assert layout_of(NHWC) == "nhwc" and layout_of((0, 1, 2, 3)) == "model"
    assert layout_of((0, 1)) == "model" and layout_of((1, 0)) == "order 1 0"
    with pytest.raises(ValueError, match="there is no layout 'nhcw'"):
        order_of("nhcw", 4)
