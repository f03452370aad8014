"""The sample axis: inputs stacked, results joined, chunks of bounded memory, what is wrong with
inputs.
"""

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter import function as network
from smalti.backends.interpreter.samples import count_samples, declared_inputs, joined
from smalti.backends.interpreter.top import run_top
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module

TEXT = """
func.func @main(%a: tensor<2x3xf32>, %b: tensor<1x3xf32>)
    -> (tensor<2x3xf32>, tensor<1x3xf32>, tensor<3xf32>)
    attributes {smalti.inputs = ["a", "b"], smalti.outputs = ["sum", "relu", "constant"]} {
  %w = top.weight "w" seed = 1 : tensor<3xf32>
  %c = top.add "c" %w, %w : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  %s = top.add "sum" %a, %b : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %r = top.relu "relu" %b : (tensor<1x3xf32>) -> tensor<1x3xf32>
  func.return %s, %r, %c : tensor<2x3xf32>, tensor<1x3xf32>, tensor<3xf32>
}
"""


@pytest.fixture
def module():
    """y = a + b for a [2, 3] and b [1, 3]; relu(b); a constant."""
    ctx = make_context()
    return parse_module(TEXT, ctx), ctx.weights


def inputs(samples):
    rng = np.random.default_rng(samples)
    return {
        "a": rng.standard_normal((2 * samples, 3)).astype(np.float32),
        "b": rng.standard_normal((samples, 3)).astype(np.float32),
    }


@pytest.mark.parametrize("samples", [1, 2, 7])
@pytest.mark.parametrize("limit", [1, 500, 2**28])
def test_samples_are_independent(module, samples, limit, monkeypatch):
    monkeypatch.setattr(network, "MAX_LIVE_BYTES", limit)
    data = inputs(samples)
    got = run_top(*module, data)
    wide = np.repeat(data["b"], 2, axis=0)
    np.testing.assert_array_equal(got["sum"], data["a"] + wide)
    np.testing.assert_array_equal(got["relu"], np.maximum(data["b"], 0))
    assert got["constant"].shape == (3 * samples,)
    np.testing.assert_array_equal(got["constant"], np.tile(got["constant"][:3], samples))


def test_observer_sees_every_value_once(module):
    seen = []
    data = inputs(4)
    run_top(*module, data, observe=lambda name, value: seen.append((name, value.shape)))
    assert seen == [
        ("a", (4, 2, 3)),
        ("b", (4, 1, 3)),
        ("c", (4, 3)),
        ("sum", (4, 2, 3)),
        ("relu", (4, 1, 3)),
    ]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"b": None}, "'b' is missing"),
        ({"z": np.zeros(1)}, "no input 'z'"),
        ({"a": np.zeros((3, 3))}, "'a' has shape [3, 3], expected [2, 3]"),
        ({"a": np.zeros((2, 4))}, "[2, 4]"),
        ({"a": np.zeros((0, 3))}, "[0, 3]"),
        ({"b": np.zeros((4, 3))}, "different numbers of samples: 'a': 1, 'b': 4"),
        ({"a": np.full((2, 3), "x")}, "type"),
    ],
)
def test_wrong_inputs(module, change, part):
    data = {name: value for name, value in (inputs(1) | change).items() if value is not None}
    with pytest.raises(DiagnosticError) as caught:
        run_top(*module, data)
    assert part in str(caught.value)


def test_other_number_types_become_floats(module):
    data = {"a": np.ones((2, 3), np.uint8), "b": np.full((1, 3), 0.5)}
    np.testing.assert_array_equal(run_top(*module, data)["sum"], np.full((2, 3), 1.5))


def test_counting_and_joining():
    assert count_samples("x", (6, 3), (2, 3)) == 3
    assert count_samples("x", (), ()) == 1
    assert count_samples("x", (5,), ()) == 5
    assert count_samples("x", (5, 2, 3), (2, 3)) == 5
    assert joined(np.zeros((1,)), 1).shape == ()
    assert joined(np.zeros((5,)), 5).shape == (5,)
    assert joined(np.zeros((1, 2, 3)), 4).shape == (8, 3)


def test_functions_without_names():
    ctx = make_context()
    module = parse_module(
        """
        func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
          %y = top.relu "y" %x : (tensor<2xf32>) -> tensor<2xf32>
          func.return %y : tensor<2xf32>
        }
        """,
        ctx,
    )
    assert declared_inputs(module) == {"input0": (2,)}
    got = run_top(module, ctx.weights, {"input0": np.array([-1, 1], np.float32)})
    np.testing.assert_array_equal(got["output0"], [0, 1])


def test_modules_without_a_function():
    ctx = make_context()
    with pytest.raises(DiagnosticError, match="function"):
        run_top(parse_module("builtin.module {}", ctx), ctx.weights, {})
