"""Resize in all its forms against ONNX Runtime: sizes, scales, coordinates, roundings, weights, regions, policies."""

import itertools

import numpy as np
import onnx
import pytest
from onnx import helper
from smalti.backends.cpu.session import run_onnx

from tests.unit.compiler.onnx_import.node_check import check_node, reference
from tests.unit.compiler.onnx_import.onnx_models import model_of, run_imported

SIZES = [(5, 7), (4, 6), (9, 3), (1, 8), (2, 16)]
SCALES = [0.5, 0.6, 1.7, 2.0, 1.3, 0.33, 3.0]
OTHER_AXIS = 1.1
"""How much larger the scale of the last axis is."""
COORDINATES = [
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
    "tf_crop_and_resize",
]  # fmt: skip
ROUNDINGS = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]
ROI = np.array([0, 0, 0.2, 0.1, 1, 1, 0.8, 1.1], np.float32)
BY = ["scales", "sizes"]


def resized(shape, scale, by, coordinates) -> dict[str, np.ndarray]:
    """The operands of a Resize of [1, 1, H, W]; none if nothing would be left of an axis."""
    factors = np.array([1, 1, scale, scale * OTHER_AXIS], np.float32)
    sizes = np.floor(factors[2:] * np.array(shape, np.float32)).astype(np.int64)
    if sizes.min() < 1:
        return {}
    region = {"roi": ROI} if coordinates == "tf_crop_and_resize" else {}
    operand = factors if by == "scales" else np.array([1, 1, *sizes])
    return {**region, by: operand}


def check(shape, operands, **attributes) -> None:
    names = [name if name in operands else "" for name in ("roi", "scales", "sizes")]
    node = helper.make_node("Resize", ["x", *names], ["y"], **attributes)
    model = model_of([node], {"x": (1, 1, *shape)}, constants=operands, opset=19)
    x = np.random.default_rng(0).standard_normal((1, 1, *shape)).astype(np.float32)
    expected = run_onnx(model, {"x": x})["y"]
    found = run_imported(model, {"x": x})["y"]
    message = f"{shape} {operands} {attributes}"
    assert found.shape == expected.shape, message
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4, err_msg=message)


def keeps_an_axis(shape, operands) -> bool:
    """Whether an axis keeps its size though the node asks for something: ONNX Runtime then copies it."""
    if "sizes" in operands:
        return any(a == b for a, b in zip(shape, operands["sizes"][2:], strict=True))
    return any(
        int(size * scale) == size for size, scale in zip(shape, operands["scales"][2:], strict=True)
    )


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("coordinates", COORDINATES)
def test_nearest(coordinates, by):
    """Which pixel is taken depends on the last bit of a coordinate, which must be that of f32.

    Of two transformations ONNX Runtime rounds that bit otherwise than any order of its formula does: they are compared
    where the scale is a power of two, or does not lead to the middle between pixels.
    """
    for shape, scale, rounding in itertools.product(SIZES, SCALES, ROUNDINGS):
        operands = resized(shape, scale, by, coordinates)
        if not operands or (keeps_an_axis(shape, operands) and coordinates == "tf_crop_and_resize"):
            continue
        if coordinates == "half_pixel_symmetric" and by == "scales":
            operands["scales"][3] = scale
        last_bit = coordinates == "half_pixel_symmetric" or (coordinates, rounding, by) == (
            "asymmetric", "round_prefer_ceil", "sizes",
        )  # fmt: skip
        if last_bit and (scale not in (0.5, 2.0) or by == "sizes"):
            continue
        check(
            shape,
            operands,
            mode="nearest",
            nearest_mode=rounding,
            coordinate_transformation_mode=coordinates,
        )


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_mixtures(mode, coordinates, by):
    variants = [{}, {"antialias": 1}]
    if mode == "cubic":
        variants += [
            {"exclude_outside": 1},
            {"antialias": 1, "exclude_outside": 1},
            {"cubic_coeff_a": -0.5},
        ]
    for shape, scale, variant in itertools.product(SIZES, SCALES, variants):
        operands = resized(shape, scale, by, coordinates)
        is_region = coordinates == "tf_crop_and_resize"
        if not operands or (is_region and "antialias" in variant):
            continue  # ONNX Runtime has no antialiasing of regions
        if keeps_an_axis(shape, operands) and (is_region or "antialias" in variant):
            continue
        check(shape, operands, mode=mode, coordinate_transformation_mode=coordinates, **variant)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("policy", ["not_larger", "not_smaller"])
def test_one_scale_for_all_axes(policy, mode):
    """Axes that are not named keep their sizes."""
    for shape, wanted in itertools.product(SIZES, [(3, 5), (8, 8), (6, 20)]):
        for coordinates in ("half_pixel", "align_corners", "asymmetric"):
            check(
                shape,
                {"sizes": np.array(wanted)},
                mode=mode,
                coordinate_transformation_mode=coordinates,
                keep_aspect_ratio_policy=policy,
                axes=[2, 3],
            )


def test_what_lies_outside_a_region_is_a_number():
    for number in (0.0, 7.5):
        check(
            (5, 7),
            {"roi": np.array([-0.3, 0.2, 0.7, 1.4], np.float32), "sizes": np.array([6, 9])},
            mode="linear",
            coordinate_transformation_mode="tf_crop_and_resize",
            extrapolation_value=number,
            axes=[2, 3],
        )


def test_align_corners_with_a_fractional_scale(shared_file):
    """The scale times the input's size is not the output's size, which is whole."""
    model = onnx.load(shared_file("cases/resize_align_corners_scale1.7.onnx"))
    (value,) = model.graph.input
    shape = [size.dim_value for size in value.type.tensor_type.shape.dim]
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    expected = run_onnx(model, {value.name: x})
    for name, found in run_imported(model, {value.name: x}).items():
        np.testing.assert_allclose(found, expected[name], atol=1e-6)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.float16])
@pytest.mark.parametrize(
    ("mode", "coordinates"),
    [("nearest", "half_pixel"), ("linear", "align_corners"), ("cubic", "half_pixel")],
)
def test_elements_of_other_types(dtype: type, mode: str, coordinates: str) -> None:
    """Nearest moves them; what mixes them rounds to the nearest integer and saturates, as the reference does."""
    x = np.random.default_rng(0).integers(0, 127, (1, 2, 5, 6)).astype(dtype)
    arrays = {"x": x, "sizes": np.array([1, 2, 3, 11])}
    node = helper.make_node(
        "Resize",
        ["x", "", "", "sizes"],
        ["y"],
        mode=mode,
        coordinate_transformation_mode=coordinates,
    )
    expected = reference(node, arrays, 19)
    tolerance = 1e-3 if dtype == np.float16 else 0.0
    check_node(node, arrays, 19, expected, constants=["sizes"], tolerance=tolerance)


def test_bools_are_moved() -> None:
    x = np.random.default_rng(0).integers(0, 2, (1, 1, 3, 4)).astype(np.bool_)
    arrays = {"x": x, "scales": np.array([1, 1, 2, 3], np.float32)}
    node = helper.make_node("Upsample", [*arrays], ["y"], mode="nearest")
    expected = {"y": x.repeat(2, axis=2).repeat(3, axis=3)}
    check_node(node, arrays, 9, expected, constants=["scales"], tolerance=0.0)
