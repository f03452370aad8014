"""Convolutions, transposed convolutions and pools over one to three spatial axes against ONNX Runtime, with weights and
biases as constants and as inputs.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.simulator.simulate import simulate
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions

from tests.unit.compiler.onnx_import.onnx_models import model_of, run_imported

Shape = tuple[int, ...]


def numbers(rank: int, low: int, high: int) -> st.SearchStrategy[list[int]]:
    """A number for each of `rank` axes."""
    return st.lists(st.integers(low, high), min_size=rank, max_size=rank)


@st.composite
def convolutions(draw: st.DrawFn, op: str) -> ModelProto:
    """A Conv or ConvTranspose whose weight and bias are constants or inputs."""
    rank, groups = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    inputs, outputs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    kernel = draw(numbers(rank, 1, 3))
    attributes: dict[str, Any] = {
        "group": groups,
        "strides": draw(numbers(rank, 1, 3)),
        "dilations": draw(numbers(rank, 1, 2)),
        "kernel_shape": kernel,
    }
    size = draw(numbers(rank, 7, 9) if op == "Conv" else numbers(rank, 3, 5))
    # Less padding than ConvTranspose has elements to cut off.
    attributes["pads"] = draw(numbers(2 * rank, 0, 2 if op == "Conv" else 1))
    if op == "ConvTranspose" and draw(st.booleans()):
        strides = attributes["strides"]
        assert isinstance(strides, list)
        attributes["output_padding"] = [draw(st.integers(0, stride - 1)) for stride in strides]
    first, second = (outputs, inputs) if op == "Conv" else (inputs, outputs)
    shapes = {"x": (2, inputs, *size), "w": (first, second // groups, *kernel), "b": (outputs,)}
    names = draw(st.sampled_from(["x", "xw", "xb", "xwb"]))
    rng = np.random.default_rng(0)
    constants = {
        name: rng.normal(size=shape).astype(np.float32)
        for name, shape in shapes.items()
        if name not in names
    }
    node = helper.make_node(op, ["x", "w", "b"], ["y"], **attributes)
    return model_of([node], {name: shapes[name] for name in names}, constants=constants)


@st.composite
def pools(draw: st.DrawFn) -> ModelProto:
    """A MaxPool, AveragePool or LpPool."""
    op = draw(st.sampled_from(["MaxPool", "AveragePool", "LpPool"]))
    rank = draw(st.integers(1, 3))
    kernel = draw(numbers(rank, 2, 3))
    begins = [draw(st.integers(0, taps - 1)) for taps in kernel]
    attributes: dict[str, Any] = {
        "kernel_shape": kernel,
        "strides": draw(numbers(rank, 1, 3)),
        "pads": begins * 2,
    }
    if op != "LpPool":
        attributes["ceil_mode"] = draw(st.integers(0, 1))
    if op == "MaxPool":
        attributes["dilations"] = draw(numbers(rank, 1, 2))
    if op == "AveragePool":
        attributes["count_include_pad"] = draw(st.integers(0, 1))
    node = helper.make_node(op, ["x"], ["y"], **attributes)
    return model_of([node], {"x": (2, 3, *draw(numbers(rank, 7, 9)))})


def inputs_of(model: ModelProto) -> dict[str, np.ndarray]:
    """Random numbers for the inputs of a model."""
    rng = np.random.default_rng(1)
    return {
        value.name: rng.normal(
            size=[each.dim_value for each in value.type.tensor_type.shape.dim]
        ).astype(np.float32)
        for value in model.graph.input
    }


@settings(max_examples=60)
@given(st.one_of(convolutions("Conv"), convolutions("ConvTranspose"), pools()))
def test_equal_to_onnx_runtime(model: ModelProto):
    inputs = inputs_of(model)
    expected = run_onnx(model, inputs)["y"]
    found = run_imported(model, inputs)["y"]
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    "attributes",
    [
        {"auto_pad": "SAME_UPPER", "strides": [2, 3]},
        {"auto_pad": "SAME_LOWER", "strides": [2, 3]},
        {"auto_pad": "VALID", "strides": [2, 2]},
        {"output_shape": [9, 10], "strides": [2, 2]},
        {"output_shape": [10, 8], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
        {"strides": [4, 1], "pads": [3, 2, 4, 2]},
    ],
    ids=str,
)
def test_sizes_of_a_transposed_convolution(attributes: dict[str, Any]):
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(2, 3, 3, 4)).astype(np.float32)
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], **attributes)
    model = model_of([node], {"x": (1, 2, 5, 4)}, constants={"w": weight})
    inputs = inputs_of(model)
    expected = run_onnx(model, inputs)["y"]
    np.testing.assert_allclose(run_imported(model, inputs)["y"], expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"pads": [9, 9, 9, 9]}, "its pads leave nothing of a result of [7, 7]"),
        ({"kernel_shape": [2, 2]}, "kernel_shape is [2, 2], the weight's is [3, 3]"),
        ({"group": 3}, "its weight has 2 channels in 3 groups, its input 2"),
        (
            {"output_padding": [1]},
            "output_padding must be 2 numbers that are not negative, got [1]",
        ),
        ({"output_shape": [4]}, "output_shape must have 2 numbers, it has 1"),
        ({"strides": [0, 1]}, "strides must be 2 positive numbers, it is [0, 1]"),
        ({"auto_pad": "SOME"}, "auto_pad 'SOME' is none of"),
    ],
    ids=str,
)
def test_attributes_that_do_not_fit(attributes: dict[str, Any], message: str):
    weight = np.ones((2, 3, 3, 3), np.float32)
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], **attributes)
    model = model_of([node], {"x": (1, 2, 5, 5)}, constants={"w": weight})
    with pytest.raises(DiagnosticError) as error:
        run_imported(model, {})
    assert message in str(error.value) or "Inference error" in str(error.value)


@pytest.mark.parametrize("quantize", ["f32", "int8"])
@pytest.mark.parametrize(
    ("op", "kernel", "size", "attributes"),
    [
        ("ConvTranspose", (8, 6, 4, 4), (1, 8, 6, 6), {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ("ConvTranspose", (8, 3, 3, 3), (1, 8, 5, 5), {"strides": [2, 2], "group": 2}),
        ("Conv", (6, 4, 3, 3, 3), (1, 4, 6, 7, 8), {"pads": [1] * 6}),
        ("Conv", (6, 2, 2, 3, 3), (2, 4, 6, 7, 8), {"strides": [2, 1, 1], "group": 2}),
    ],
    ids=str,
)
def test_on_the_device(
    op: str, kernel: Shape, size: Shape, attributes: dict[str, Any], quantize: str
):
    """Transposed and 3-D convolutions are products of the matrix unit, in floats and in integers."""
    rng = np.random.default_rng(0)
    weight = (rng.normal(size=kernel) / np.sqrt(prod(kernel[1:]))).astype(np.float32)
    node = helper.make_node(op, ["x", "w"], ["y"], **attributes)
    model = model_of([node], {"x": size}, constants={"w": weight})
    inputs = inputs_of(model)
    expected = run_onnx(model, inputs)["y"]
    options = CompileOptions("default-8c", None, quantize, None if quantize == "f32" else inputs)  # pyright: ignore[reportArgumentType]
    found = simulate(
        start_from_model(model, options).assemble(), inputs, mode="both", sanitize=True
    )
    assert found.outputs is not None and found.timing is not None and found.timing.macs > 0
    error = np.abs(found.outputs["y"] - expected).max() / np.abs(expected).max()
    assert error < (1e-5 if quantize == "f32" else 0.03)
