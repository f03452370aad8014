"""Resize in every mode: against ONNX Runtime (nearest), and against ONNX's reference implementation."""

from __future__ import annotations

import numpy as np
import pytest
from smalti.backends.numerics.windows.resampling import (
    NEAREST_MODES,
    extrapolated,
    is_gather,
    resample,
    resize_taps,
)

from tests.unit.backends.numerics import onnxruntime_model as ort_model

_COORDINATES = [
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
    "tf_crop_and_resize",
]
_SIZES = [(5, 5), (5, 8), (8, 5), (4, 12), (9, 3), (7, 1), (1, 4), (3, 2)]
_ROI = (0.2, 0.9)
_BY_SIZE = ("align_corners", "tf_crop_and_resize", "pytorch_half_pixel")
"""Transformations that depend on the size of the output, which is whole."""


def _resize(x, scale, coordinates, **attributes):
    # The nearest element shows in which type coordinates are computed: ONNX Runtime's is f32.
    nearest = attributes["mode"] == "nearest" and coordinates != "tf_crop_and_resize"
    return (ort_model.run if nearest else ort_model.reference)(
        "Resize",
        [x, np.array(_ROI, np.float32), np.array([scale], np.float32)],
        coordinate_transformation_mode=coordinates,
        **attributes,
    )


def _check(mode, in_size, scale, coordinates, roi=_ROI, **options):
    scale = float(np.float32(scale))
    size = int(np.float32(scale) * np.float32(in_size))
    if coordinates in _BY_SIZE and (size == 1 or scale * in_size != size):
        # Here the reference takes scale times input size for the output's size, ONNX Runtime does not.
        return
    if mode == "nearest" and size == in_size and scale != 1:
        return  # ONNX Runtime copies the input then
    if (
        mode == "nearest"
        and coordinates == "half_pixel_symmetric"
        and size % in_size
        and not in_size % size
    ):
        return  # coordinates are whole numbers but for their last bit, which differs everywhere
    x = np.random.default_rng(in_size).standard_normal(in_size).astype(np.float32)
    flags = {k: int(v) if isinstance(v, bool) else v for k, v in options.items()}
    expected = _resize(x, scale, coordinates, mode=mode, **flags)
    index, weight = resize_taps(
        mode,
        in_size,
        len(expected),
        scale,
        roi,
        coordinate_transformation_mode=coordinates,
        **options,
    )
    assert index.dtype == np.int32 and weight.dtype == np.float32
    assert index.shape == weight.shape == (len(expected), index.shape[1])
    np.testing.assert_allclose(resample(x, -1, index, weight), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("coordinates", _COORDINATES)
@pytest.mark.parametrize("nearest_mode", NEAREST_MODES)
def test_nearest(coordinates, nearest_mode):
    for in_size, out_size in _SIZES:
        _check("nearest", in_size, out_size / in_size, coordinates, nearest_mode=nearest_mode)
        _check(
            "nearest", in_size, (out_size + 0.3) / in_size, coordinates, nearest_mode=nearest_mode
        )


@pytest.mark.parametrize("coordinates", _COORDINATES)
@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("exclude_outside", [False, True])
def test_linear_and_cubic(coordinates, mode, antialias, exclude_outside):
    for in_size, out_size in _SIZES:
        for extra in (0, 0.4):
            options = {"antialias": antialias, "exclude_outside": exclude_outside}
            if mode == "cubic":
                options["cubic_coeff_a"] = -0.5 if extra else -0.75
            _check(mode, in_size, (out_size + extra) / in_size, coordinates, **options)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("scale", [1.6, 1.7, 0.25])
@pytest.mark.parametrize(
    "coordinates", ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
)
def test_two_axes_equal_onnxruntime(mode, coordinates, scale):
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 5)).astype(np.float32)
    scales = np.array([1, 1, 2, scale], np.float32)
    expected = ort_model.run(
        "Resize", [x, None, scales], mode=mode, coordinate_transformation_mode=coordinates
    )
    got = x.transpose(0, 2, 3, 1)
    for axis, in_size, out_size, own in ((-3, 6, 12, 2.0), (-2, 5, int(5 * scale), scale)):
        taps = resize_taps(mode, in_size, out_size, own, None, coordinates)
        got = resample(got, axis, *taps)
    np.testing.assert_allclose(got.transpose(0, 3, 1, 2), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "scale"), [(7, 1.7), (30, 0.4), (64, 2.3)])
@pytest.mark.parametrize(
    "coordinates", ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
)
def test_a_ramp_stays_as_straight_as_in_onnxruntime(coordinates, size, scale):
    """To two units in the last place of 6: the weights of an element add up to exactly 1."""
    x = np.broadcast_to(np.linspace(0, 6, size, dtype=np.float32), (1, 1, size, size))
    scales = np.array([1, 1, scale, scale], np.float32)
    expected = ort_model.run(
        "Resize", [x, None, scales], mode="linear", coordinate_transformation_mode=coordinates
    )
    taps = resize_taps("linear", size, expected.shape[-1], float(scales[-1]), None, coordinates)
    assert np.all(taps[1].sum(axis=1) == 1)
    got = resample(resample(x, -1, *taps), -2, *taps)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("scale", [0.6, 2.0, 3.3])
@pytest.mark.parametrize(
    "coordinates", ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
)
def test_weights_of_antialias_equal_onnxruntime(mode, coordinates, scale):
    """Also far from the start, where f32 rounds the centers of the elements to a few 1e-5."""
    size = 300
    elements = np.eye(size, dtype=np.float32).reshape(1, 1, size, size)
    expected = ort_model.run(
        "Resize",
        [elements, None, np.array([1, 1, 1, scale], np.float32)],
        mode=mode,
        coordinate_transformation_mode=coordinates,
        antialias=1,
    )
    own = float(np.float32(scale))
    taps = resize_taps(mode, size, expected.shape[-1], own, None, coordinates, antialias=True)
    np.testing.assert_allclose(resample(elements, -1, *taps), expected, rtol=0, atol=1e-6)


def test_outputs_beside_the_input_are_marked():
    index, weight = resize_taps(
        "linear", 4, 5, 1.25, (-0.5, 1.5), coordinate_transformation_mode="tf_crop_and_resize"
    )
    x = np.arange(4, dtype=np.float32) + 1
    got = np.where(extrapolated(weight), np.float32(7), resample(x, -1, index, weight))
    expected = ort_model.reference(
        "Resize",
        [x, np.array([-0.5, 1.5], np.float32), np.array([1.25], np.float32)],
        coordinate_transformation_mode="tf_crop_and_resize",
        mode="linear",
        extrapolation_value=7.0,
    )
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert extrapolated(weight).any() and not extrapolated(weight).all()


def test_gather_takes_any_type_and_mixing_only_floats():
    index, weight = resize_taps("nearest", 3, 6, 2.0, coordinate_transformation_mode="asymmetric",
                                nearest_mode="floor")  # fmt: skip
    assert is_gather(index, weight)
    x = np.array([[1, -2, 3]], np.int8)
    assert resample(x, -1, index, weight).tolist() == [[1, 1, -2, -2, 3, 3]]
    taps = resize_taps("linear", 3, 6, 2.0)
    with pytest.raises(ValueError, match="not mixed"):
        resample(x, -1, *taps)
    half = x.astype(np.float16)
    assert resample(half, -1, *taps).dtype == np.float16
    with pytest.raises(ValueError, match="outside"):
        resample(x, -1, index + 2, weight)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lanczos", 3, 3, 1.0), "unknown resize mode"),
        (("linear", 0, 3, 1.0), "cannot resize"),
        (("linear", 3, 3, 0.0), "positive"),
        (("linear", 3, 3, 1.0, None, "half"), "coordinate"),
        (("linear", 3, 3, 1.0, None, "tf_crop_and_resize"), "region of interest"),
        (("nearest", 3, 3, 1.0, None, "half_pixel", "up"), "nearest mode"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        resize_taps(*arguments)
