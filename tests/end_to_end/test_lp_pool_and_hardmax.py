"""LpPool, GlobalLpPool and Hardmax, which are said in other ops, on every level and in every number format."""

import numpy as np
import pytest
from onnx import helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler.compilation.compile_options import CompileOptions

from tests.unit.compiler.onnx_import.onnx_models import model_of

from .test_random_networks import check_f32, check_int8, levels, same

POOLS = [
    {"kernel_shape": [2, 2]},
    {"kernel_shape": [3, 3], "p": 1, "strides": [2, 2], "pads": [1, 1, 1, 1]},
    {"kernel_shape": [3, 2], "p": 3, "strides": [2, 1], "pads": [0, 1, 1, 0]},
    {"kernel_shape": [3, 3], "p": 4, "strides": [2, 2], "ceil_mode": 1},
    {"kernel_shape": [3, 3], "strides": [3, 3], "pads": [1, 1, 1, 1], "ceil_mode": 1},
    {"kernel_shape": [10, 9], "strides": [4, 4], "ceil_mode": 1},
    {"kernel_shape": [2, 2], "dilations": [2, 2], "strides": [2, 2]},
    {"kernel_shape": [3, 3], "auto_pad": "SAME_LOWER", "strides": [2, 2]},
]


@pytest.mark.parametrize("attributes", POOLS, ids=str)
def test_lp_pool(attributes):
    node = helper.make_node("LpPool", ["x"], ["y"], **attributes)
    model = model_of([node], {"x": (2, 5, 9, 8)}, opset=18)
    check_f32(model, "edge-1c", 1)
    check_int8(model, "edge-1c", 1)


@pytest.mark.parametrize("kernel", [1, 3])
def test_lp_pool_over_one_axis(kernel: int):
    node = helper.make_node("LpPool", ["x"], ["y"], kernel_shape=[kernel], p=3)
    check_f32(model_of([node], {"x": (2, 5, 9)}), "default-8c", 8)


@pytest.mark.parametrize("p", [1, 2, 3, 6])
def test_global_lp_pool(p: int):
    node = helper.make_node("GlobalLpPool", ["x"], ["y"], p=p)
    check_f32(model_of([node], {"x": (2, 5, 9, 8)}), "default-8c", 8)


@pytest.mark.parametrize(
    ("shape", "axis", "opset"), [((3, 5), -1, 13), ((2, 3, 300), 2, 13), ((2, 300, 3), 1, 13), ((2, 3, 4), 1, 11)]
)  # fmt: skip
@pytest.mark.parametrize("quantize", ["f32", "f16", "bf16", "int8"])
def test_hardmax_takes_the_first_of_equals(shape, axis, opset, quantize):
    """Small whole numbers, of which many are equal, are exact in all formats."""
    node = helper.make_node("Hardmax", ["x"], ["y"], axis=axis)
    model = model_of([node], {"x": shape}, opset=opset)
    inputs = {"x": np.random.default_rng(0).integers(-3, 4, size=shape).astype(np.float32)}
    options = CompileOptions("edge-1c", None, quantize, inputs if quantize == "int8" else None)
    expected = run_onnx(model, inputs)
    for result in levels(model, options, inputs):
        same(result, expected, quantize)
