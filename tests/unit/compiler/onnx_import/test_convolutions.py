"""Convolutions and pools that become others, against ONNX Runtime: transposed, over frames, by weights of run time."""

import numpy as np
import pytest
from onnx import ModelProto, helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler import compile_model
from smalti.compiler.analysis.comparison import Difference

from tests.unit.compiler.onnx_import.onnx_models import (
    imported,
    model_of,
    ops_of,
    random_input,
    run_imported,
)

CONSTANT, COMPUTED = "constant", "computed"


def layer(op: str, shape, weight, bias=True, weights=CONSTANT, **attributes) -> ModelProto:
    """A model of one layer; `weights` says whether its weights and bias are constants or inputs."""
    outputs = weight[0] if op == "Conv" else weight[1] * attributes.get("group", 1)
    arrays = {"w": random_input(*weight, seed=1)}
    if bias:
        arrays["b"] = random_input(outputs, seed=2)
    node = helper.make_node(op, ["x", *arrays], ["y"], name="layer", **attributes)
    if weights == CONSTANT:
        return model_of([node], {"x": shape}, constants=arrays)
    return model_of([node], {"x": shape, **{name: a.shape for name, a in arrays.items()}})


def inputs_of(model: ModelProto) -> dict[str, np.ndarray]:
    shapes = {
        value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in model.graph.input
    }
    return {name: random_input(*shape, seed=i) for i, (name, shape) in enumerate(shapes.items())}


def check(model: ModelProto, target: str | None = None) -> None:
    """Compare top, and if a target is given its program, with ONNX Runtime."""
    inputs = inputs_of(model)
    expected = run_onnx(model, inputs)["y"]
    found = run_imported(model, inputs)["y"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    if target is not None:
        outputs = compile_model(model, target=target, quantize="f32").run(inputs)
        np.testing.assert_allclose(outputs["y"], expected, rtol=1e-4, atol=1e-4)


TRANSPOSED = [
    {},
    {"strides": [2, 2]},
    {"strides": [2, 2], "pads": [1, 1, 1, 1]},
    {"strides": [3, 2], "pads": [0, 1, 2, 0], "output_padding": [2, 1]},
    {"strides": [2, 3], "dilations": [2, 1]},
    {"dilations": [2, 3], "pads": [2, 2, 1, 3]},
    {"strides": [2, 2], "pads": [3, 3, 3, 3]},
    {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
    {"strides": [3, 2], "auto_pad": "SAME_LOWER"},
    {"strides": [2, 2], "output_shape": [11, 10]},
    {"strides": [4, 4], "output_padding": [1, 3]},
]


@pytest.mark.parametrize("weights", [CONSTANT, COMPUTED])
@pytest.mark.parametrize("attributes", TRANSPOSED, ids=str)
def test_transposed_convolutions(attributes, weights):
    check(layer("ConvTranspose", (2, 4, 5, 4), (4, 3, 3, 4), weights=weights, **attributes))


@pytest.mark.parametrize("weights", [CONSTANT, COMPUTED])
@pytest.mark.parametrize("groups", [2, 4])
def test_transposed_convolutions_in_groups(groups, weights):
    attributes = {"strides": [2, 2], "pads": [1, 0, 1, 0], "group": groups}
    check(layer("ConvTranspose", (1, 4, 5, 4), (4, 2, 3, 3), weights=weights, **attributes))


@pytest.mark.parametrize("bias", [False, True])
def test_transposed_convolutions_over_one_axis(bias):
    attributes = {"strides": [3], "pads": [1, 2], "dilations": [2], "output_padding": [1]}
    check(layer("ConvTranspose", (1, 3, 6), (3, 2, 4), bias, **attributes))


def test_a_transposed_convolution_multiplies_nothing_by_zeros_between_pixels():
    """Kernels that do not overlap are a product of the image's own size; so is INT8's accuracy that of a product."""
    model = layer("ConvTranspose", (1, 8, 6, 6), (8, 4, 2, 2), strides=[2, 2])
    module, _ = imported(model)
    (convolution,) = (op for op in ops_of(module) if op.name == "top.conv2d")
    assert convolution.results[0].type.get_shape() == (1, 16, 6, 6)  # pyright: ignore[reportAttributeAccessIssue]
    inputs = inputs_of(model)
    compiled = compile_model(model, target="edge-1c", calibration=inputs)
    found, expected = compiled.run(inputs)["y"], run_onnx(model, inputs)["y"]
    assert Difference.between("y", found, expected).snr_db > 30


@pytest.mark.parametrize(
    "op",
    [{"op": "ConvTranspose", "strides": [2, 2], "pads": [1, 1, 1, 1]}, {"op": "Conv"}],
    ids=str,
)
@pytest.mark.parametrize("weights", [CONSTANT, COMPUTED])
def test_on_the_device(op, weights):
    check(layer(shape=(1, 4, 6, 5), weight=(4, 4, 3, 3), weights=weights, **op), "edge-1c")


COMPUTED_WEIGHTS = [
    {},
    {"strides": [2, 1], "pads": [1, 2, 0, 1]},
    {"dilations": [2, 1], "pads": [2, 0, 1, 1]},
    {"group": 2, "strides": [2, 2]},
]


@pytest.mark.parametrize("attributes", COMPUTED_WEIGHTS, ids=str)
def test_weights_of_run_time(attributes):
    inputs = 4 // attributes.get("group", 1)
    check(layer("Conv", (2, 4, 7, 6), (6, inputs, 3, 2), weights=COMPUTED, **attributes))


FRAMES = [
    {},
    {"strides": [2, 1, 2], "pads": [1, 0, 1, 2, 1, 0]},
    {"dilations": [2, 1, 1], "pads": [1, 0, 1, 2, 1, 0], "group": 2},
    {"strides": [2, 2, 2], "auto_pad": "SAME_LOWER"},
]


@pytest.mark.parametrize("weights", [CONSTANT, COMPUTED])
@pytest.mark.parametrize("attributes", FRAMES, ids=str)
def test_convolutions_over_frames(attributes, weights):
    inputs = 4 // attributes.get("group", 1)
    model = layer("Conv", (2, 4, 6, 7, 5), (6, inputs, 3, 2, 3), weights=weights, **attributes)
    check(model, "edge-1c" if weights == CONSTANT else None)


POOLS = [
    {"kernel_shape": [2, 3, 2]},
    {"kernel_shape": [3, 2, 2], "strides": [2, 2, 1], "pads": [1, 0, 1, 1, 1, 0]},
    {"kernel_shape": [2, 2, 2], "strides": [2, 2, 2], "ceil_mode": 1},
    {"kernel_shape": [3, 3, 3], "strides": [2, 1, 2], "auto_pad": "SAME_UPPER"},
]


@pytest.mark.parametrize("attributes", POOLS, ids=str)
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_pools_over_frames(op, attributes):
    model = model_of([helper.make_node(op, ["x"], ["y"], **attributes)], {"x": (1, 3, 5, 7, 6)})
    check(model, "edge-1c")
    if op == "AveragePool" and "pads" in attributes:
        node = helper.make_node(op, ["x"], ["y"], count_include_pad=1, **attributes)
        check(model_of([node], {"x": (1, 3, 5, 7, 6)}))


def test_batch_normalization_by_computed_statistics():
    shapes = {"x": (2, 3, 4, 4), "s": (3,), "b": (3,), "m": (3,), "v": (3,)}
    nodes = [
        helper.make_node("Exp", ["v"], ["variance"]),
        helper.make_node("BatchNormalization", ["x", "s", "b", "m", "variance"], ["y"]),
    ]
    check(model_of(nodes, shapes), "edge-1c")
