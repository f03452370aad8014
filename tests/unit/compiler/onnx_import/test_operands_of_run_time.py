"""Operands that are mostly constants, but may be computed: bounds, paddings, divisors; against ONNX Runtime."""

import numpy as np
import pytest
from onnx import helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler import compile_model

from tests.unit.compiler.onnx_import.onnx_models import model_of, random_input, run_imported


def check(model, inputs) -> None:
    expected = run_onnx(model, inputs)
    for found in (
        run_imported(model, inputs),
        compile_model(model, target="edge-1c", quantize="f32").run(inputs),
    ):
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bounds", [("low", "high"), ("low",), ("", "high")])
def test_bounds_of_clip(bounds):
    """A lower bound beyond the upper one gives way to it."""
    model = model_of(
        [helper.make_node("Clip", ["x", *bounds], ["y"])],
        {"x": (2, 9), **{name: () for name in bounds if name}},
    )
    for low, high in ((-0.5, 0.5), (0.5, -0.5)):
        numbers = {"low": np.array(low, np.float32), "high": np.array(high, np.float32)}
        check(
            model,
            {"x": random_input(2, 9), **{name: numbers[name] for name in bounds if name}},
        )


@pytest.mark.parametrize("pads", [[1, 0, 2, 3], [-1, 2, 0, -1]])
def test_the_number_that_padding_is_filled_with(pads):
    model = model_of(
        [helper.make_node("Pad", ["x", "pads", "number"], ["y"])],
        {"x": (3, 4), "number": ()},
        constants={"pads": np.array(pads)},
    )
    check(model, {"x": random_input(3, 4), "number": np.array(2.5, np.float32)})


def test_the_remainder_that_has_the_sign_of_the_divisor():
    node = helper.make_node("Mod", ["x", "y"], ["z"], fmod=0)
    model = model_of([node], {"x": (6,), "y": (6,)}, ["z"])
    x = np.array([4.5, -4.5, 4.5, -4.5, 4.0, -4.0], np.float32)
    y = np.array([2.0, 2.0, -2.0, -2.0, -2.0, 2.0], np.float32)
    found = run_imported(model, {"x": x, "y": y})["z"]
    np.testing.assert_array_equal(found, np.mod(x, y))
