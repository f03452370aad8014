"""Ops that the host computes on images, against ONNX Runtime in all of their modes."""

from itertools import product

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError

from tests.unit.compiler.onnx_import.onnx_models import imported, run_imported
from tests.unit.compiler.onnx_import.ops.host.nodes import RNG, check, node_model, normal

PADDINGS = ("zeros", "border", "reflection")


@pytest.mark.parametrize(
    ("mode", "padding"), list(product(("nearest", "linear", "cubic"), PADDINGS))
)
@pytest.mark.parametrize("align", [0, 1])
def test_grid_sample(mode: str, padding: str, align: int):
    """Places reach far beside the image."""
    inputs = {"x": normal(2, 3, 5, 7), "grid": 1.7 * normal(2, 4, 6, 2)}
    check(
        "GridSample", inputs, opset=20, mode=mode, padding_mode=padding, align_corners=align,
        atol=1e-4, compiled=mode == "cubic" and padding == "reflection",
    )  # fmt: skip


@pytest.mark.parametrize(("mode", "padding"), list(product(("nearest", "linear"), PADDINGS)))
@pytest.mark.parametrize("align", [0, 1])
def test_grid_sample_of_volumes(mode: str, padding: str, align: int):
    inputs = {"x": normal(2, 3, 4, 5, 6), "grid": 1.5 * normal(2, 3, 2, 4, 3)}
    check(
        "GridSample", inputs, opset=20, mode=mode, padding_mode=padding, align_corners=align,
        atol=1e-4,
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_grid_sample_has_other_names_before_opset_20(mode: str):
    check("GridSample", {"x": normal(1, 2, 5, 5), "grid": normal(1, 3, 3, 2)}, opset=16, mode=mode)


def test_grid_sample_of_one_pixel_and_of_places_that_are_no_numbers():
    grid = np.array([np.nan, np.inf, -np.inf, 0], np.float32).reshape(1, 2, 2, 1).repeat(2, 3)
    for padding, align in product(PADDINGS, (0, 1)):
        options = {"padding_mode": padding, "align_corners": align}
        model = node_model(
            "GridSample", {"x": np.ones((1, 1, 1, 1), np.float32), "grid": grid}, **options
        )
        found = run_imported(model, {"x": np.ones((1, 1, 1, 1), np.float32), "grid": grid})["y"]
        assert found.reshape(-1)[3] == 1
        if padding == "zeros":
            assert found.reshape(-1)[:3].tolist() == [0, 0, 0]


@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize("size", [(2, 3, 4, 5), (2, 1, 3, 4, 5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_affine_grid(size, align: int, dtype):
    rank = len(size) - 2
    inputs = {"theta": normal(2, rank, rank + 1, dtype=dtype), "size": np.array(size)}
    check(
        "AffineGrid", inputs, constants=("size",), opset=20, align_corners=align,
        compiled=dtype == np.float32,
    )  # fmt: skip


def regions(count: int) -> np.ndarray:
    """Regions of images of 9 by 11 pixels at a scale of a half, some beside them and some without extent."""
    corners = RNG.uniform(-4, 20, (count, 2))
    extents = RNG.uniform(-1, 12, (count, 2))
    return np.concatenate([corners, corners + extents], 1).astype(np.float32)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("samples", [0, 1, 3])
@pytest.mark.parametrize("transformation", ["half_pixel", "output_half_pixel", None])
def test_roi_align(mode: str, samples: int, transformation):
    inputs = {"x": normal(2, 3, 9, 11), "rois": regions(8), "batch": RNG.integers(0, 2, 8)}
    more = {} if transformation is None else {"coordinate_transformation_mode": transformation}
    check(
        "RoiAlign", inputs, opset=10 if transformation is None else 16, mode=mode,
        sampling_ratio=samples, output_height=2, output_width=3, spatial_scale=0.5, atol=1e-4, **more,
    )  # fmt: skip


def test_max_roi_pool():
    chosen = np.concatenate([RNG.integers(0, 2, (12, 1)), regions(12)], 1).astype(np.float32)
    inputs = {"x": normal(2, 3, 9, 11), "rois": chosen}
    check("MaxRoiPool", inputs, opset=13, pooled_shape=[3, 2], spatial_scale=0.5)


def test_regions_of_images_that_there_are_not():
    inputs = {"x": normal(2, 3, 9, 11), "rois": regions(2), "batch": np.array([0, 2])}
    with pytest.raises(DiagnosticError, match="a region is of image 2, there are 2"):
        run_imported(node_model("RoiAlign", inputs), inputs)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_deform_conv(bias: bool, masked: bool):
    inputs = {
        "x": normal(2, 4, 7, 6),
        "w": normal(6, 2, 3, 2),
        "offset": normal(2, 2 * 6 * 2, 4, 5),
        "b": normal(6) if bias else None,
        "mask": normal(2, 2 * 6, 4, 5) if masked else None,
    }
    check(
        "DeformConv", inputs, opset=19, group=2, offset_group=2, strides=[2, 1],
        pads=[1, 0, 2, 1], dilations=[1, 2], atol=1e-4,
    )  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"strides": [2, 1]},
        {"pads": [1, 0, 2, 1], "dilations": [2, 1]},
    ],
)
def test_col2im(options):
    image, kernel = (7, 6), (3, 2)
    pads, strides, dilations = (
        options.get(name, default)
        for name, default in (("pads", [0] * 4), ("strides", [1] * 2), ("dilations", [1] * 2))
    )
    counts = [
        (image[i] + pads[i] + pads[i + 2] - dilations[i] * (kernel[i] - 1) - 1) // strides[i] + 1
        for i in range(2)
    ]
    inputs = {
        "x": normal(2, 3 * 6, counts[0] * counts[1]),
        "image": np.array(image),
        "block": np.array(kernel),
    }
    check("Col2Im", inputs, constants=("image", "block"), opset=18, **options)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((2, 3, 9), {"kernel_shape": [3], "strides": [2]}),
        ((2, 3, 9, 8), {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}),
        ((2, 3, 9, 8), {"kernel_shape": [2, 3], "dilations": [2, 2], "ceil_mode": 1}),
        ((2, 3, 9, 8), {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        ((1, 2, 5, 6, 7), {"kernel_shape": [2, 3, 2], "strides": [2, 2, 3]}),
    ],
)
def test_places_of_the_greatest(shape, options, order: int):
    """Of equal elements the first; small integers make many of them equal."""
    x = RNG.integers(-3, 4, shape).astype(np.float32)
    check("MaxPool", {"x": x}, ("y", "places"), opset=12, storage_order=order, **options)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_greatest_of_small_integers(dtype):
    x = RNG.integers(0, 100, (1, 2, 8, 8)).astype(dtype)
    check("MaxPool", {"x": x}, opset=12, kernel_shape=[3, 3], pads=[1] * 4, compiled=True)


def test_max_unpool():
    x = normal(2, 3, 3, 4)
    places = np.stack([RNG.permutation(2 * 3 * 6 * 8)[: x.size]]).reshape(x.shape)
    options = {"kernel_shape": [2, 2], "strides": [2, 2], "opset": 11}
    check("MaxUnpool", {"x": x, "places": places}, **options)
    outside = {"x": x, "places": places + 1000}
    with pytest.raises(DiagnosticError, match="a place is not from 0 to 287"):
        run_imported(node_model("MaxUnpool", outside, **options), outside)


@pytest.mark.parametrize(
    ("op", "inputs", "options", "message"),
    [
        (
            "GridSample",
            {"x": (1, 2, 3, 3), "g": (1, 2, 2, 3)},
            {},
            r"grid must have shape \[1, …, 2\]",
        ),
        (
            "DeformConv",
            {"x": (1, 3, 4, 4), "w": (2, 2, 2, 2), "o": (1, 8, 3, 3)},
            {},
            "does not fit 3 channels",
        ),
        (
            "MaxRoiPool",
            {"x": (1, 2, 3, 3), "r": (1, 4)},
            {"pooled_shape": [2, 2]},
            "regions must have shape",
        ),
        (
            "MaxRoiPool",
            {"x": (1, 2, 3, 3), "r": (1, 5)},
            {"pooled_shape": [0, 2]},
            "must be positive",
        ),
    ],
)
def test_operands_that_do_not_fit(op, inputs, options, message):
    arrays = {name: normal(*shape) for name, shape in inputs.items()}
    with pytest.raises(DiagnosticError, match=message):
        imported(node_model(op, arrays, **options))
