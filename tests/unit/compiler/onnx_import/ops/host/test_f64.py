"""Ops of f64, which the host computes as no engine has f64."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.unit.compiler.onnx_import.node_check import check_node, reference, runtime

EXACT = 1e-12
"""f64 has 1e-16; f32 would have 1e-7."""


def _random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


CASES: dict[str, tuple[str, dict[str, np.ndarray], dict[str, Any], int]] = {
    "conv": (
        "Conv",
        {"x": _random(2, 4, 7, 6), "w": _random(6, 2, 3, 2, seed=1), "b": _random(6, seed=2)},
        {"group": 2, "strides": [2, 1], "pads": [1, 0, 2, 1], "dilations": [1, 2]},
        22,
    ),
    "conv_1d": ("Conv", {"x": _random(1, 3, 9), "w": _random(4, 3, 3, seed=1)}, {}, 11),
    "conv_transpose": (
        "ConvTranspose",
        {"x": _random(1, 3, 4, 5), "w": _random(3, 2, 3, 3, seed=1), "b": _random(2, seed=2)},
        {"strides": [2, 3], "pads": [1, 1, 0, 1], "output_padding": [1, 0]},
        22,
    ),
    "average_pool": (
        "AveragePool",
        {"x": _random(2, 3, 7, 8)},
        {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1], "ceil_mode": 1},
        22,
    ),
    "average_pool_with_pads": (
        "AveragePool",
        {"x": _random(1, 2, 5, 6)},
        {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1},
        22,
    ),
    "lp_pool": (
        "LpPool",
        {"x": _random(1, 2, 6, 6)},
        {"kernel_shape": [2, 3], "p": 3, "strides": [2, 1]},
        22,
    ),
    # The reference normalizes as many channels as there are samples.
    "lrn": ("LRN", {"x": _random(5, 5, 3, 4)}, {"size": 4, "alpha": 0.3, "bias": 2.0}, 13),
    "batch_normalization": (
        "BatchNormalization",
        {
            "x": _random(2, 3, 4, 5),
            **{name: _random(3, seed=index) for index, name in enumerate("sbm")},
            "v": _random(3, seed=7) ** 2,
        },
        {"epsilon": 1e-3},
        15,
    ),
    "instance_normalization": (
        "InstanceNormalization",
        {"x": _random(2, 3, 4, 5), "s": _random(3, seed=1), "b": _random(3, seed=2)},
        {},
        22,
    ),
    # The reference sums numbers with their signs where p is 1.
    "lp_normalization": ("LpNormalization", {"x": np.abs(_random(3, 4))}, {"axis": 0, "p": 1}, 22),
    "lp_normalization_of_zeros": ("LpNormalization", {"x": np.zeros((3, 4))}, {"p": 2}, 22),
}


@pytest.mark.parametrize("case", CASES)
def test_equals_the_reference_to_the_digits_of_f64(case: str):
    op, arrays, attributes, opset = CASES[case]
    node = helper.make_node(op, [*arrays], ["y"], **attributes)
    expected = reference(node, arrays, opset)
    if case == "lp_normalization_of_zeros":
        expected = {"y": arrays["x"]}  # the reference divides by 0, ONNX Runtime gives 0
    constants = [name for name in arrays if name != "x"]
    for chosen in {tuple(constants), ()}:
        check_node(node, arrays, opset, expected, constants=chosen, tolerance=EXACT)


@pytest.mark.parametrize(
    ("mode", "coordinates", "more"),
    [
        ("linear", "half_pixel", {}),
        ("cubic", "align_corners", {"cubic_coeff_a": -0.5}),
        ("linear", "half_pixel", {"antialias": 1}),
        ("nearest", "asymmetric", {"nearest_mode": "floor"}),
    ],
)
def test_resize(mode: str, coordinates: str, more: dict[str, Any]):
    arrays = {"x": _random(1, 2, 5, 6), "sizes": np.array([1, 2, 3, 9])}
    node = helper.make_node(
        "Resize",
        ["x", "", "", "sizes"],
        ["y"],
        mode=mode,
        coordinate_transformation_mode=coordinates,
        **more,
    )
    expected = reference(node, arrays, 19)
    # Weights of antialias round the places as ONNX Runtime does, in f32.
    tolerance = 1e-6 if more.get("antialias") else 1e-12
    check_node(node, arrays, 19, expected, constants=["sizes"], tolerance=tolerance)


def test_resize_that_reads_outside():
    arrays = {
        "x": _random(1, 1, 4, 4),
        "roi": np.array([0, 0, -0.5, 0.2, 1, 1, 0.7, 1.4]),
        "sizes": np.array([1, 1, 3, 5]),
    }
    node = helper.make_node(
        "Resize",
        ["x", "roi", "", "sizes"],
        ["y"],
        mode="linear",
        coordinate_transformation_mode="tf_crop_and_resize",
        extrapolation_value=7.5,
    )
    expected = reference(node, arrays, 19)
    check_node(node, arrays, 19, expected, constants=["roi", "sizes"], tolerance=1e-12)


@pytest.mark.parametrize("op", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("layout", [0, 1])
def test_recurrent_layers(op: str, layout: int):
    """The reference computes one direction; ONNX Runtime has no layers of f64."""
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[op]
    shape = (2, 3, 5) if layout else (3, 2, 5)
    arrays = {
        "x": _random(*shape),
        "w": _random(1, gates * 4, 5, seed=1),
        "r": _random(1, gates * 4, 4, seed=2),
        "b": _random(1, 2 * gates * 4, seed=3),
    }
    node = helper.make_node(op, [*arrays], ["y", "h"], hidden_size=4, layout=layout)
    expected = reference(node, arrays, 22)
    check_node(node, arrays, 22, expected, constants="wrb", tolerance=EXACT)


def test_a_recurrent_layer_with_all_operands_is_that_of_f32_with_more_digits():
    arrays = {
        "x": _random(4, 2, 3),
        "w": _random(2, 16, 3, seed=1),
        "r": _random(2, 16, 4, seed=2),
        "b": _random(2, 32, seed=3),
        "lengths": np.array([4, 2], np.int32),
        "h": _random(2, 2, 4, seed=4),
        "c": _random(2, 2, 4, seed=5),
        "p": _random(2, 12, seed=6),
    }
    node = helper.make_node(
        "LSTM",
        [*arrays],
        ["y", "last", "cell"],
        direction="bidirectional",
        hidden_size=4,
        activations=["HardSigmoid", "Tanh", "Elu"] * 2,
        activation_alpha=[0.3, 0.5, 0.3, 0.5],
        clip=1.5,
        input_forget=1,
    )
    narrow = {n: a.astype(np.float32) if a.dtype == np.float64 else a for n, a in arrays.items()}
    types = dict.fromkeys(node.output, np.dtype(np.float32))
    expected = {n: a.astype(np.float64) for n, a in runtime(node, narrow, 22, types).items()}
    check_node(node, arrays, 22, expected, tolerance=1e-6)
