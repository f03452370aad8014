"""Variants of a network give what a run of the whole gives, and compute only what differs."""

import numpy as np
import pytest
from smalti.backends.interpreter.tpu import run_tpu
from smalti.backends.interpreter.variants import CACHE_BYTES, VariantRunner
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module
from smalti.dialects.tpu import TpuOp

NETWORK = """
func.func @main(%x: tensor<2x8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>)
    attributes {smalti.inputs = ["x"], smalti.outputs = ["y", "z"]} {
  %a = tpu.unary "a" %x kind = "tanh" : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %b = tpu.unary "b" %a kind = "exp" : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %c = tpu.unary "c" %b kind = "BLANK" : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %y = tpu.add "y" %c, %a : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %z = tpu.unary "z" %b kind = "abs" : (tensor<2x8xf32>) -> tensor<2x8xf32>
  func.return %y, %z : tensor<2x8xf32>, tensor<2x8xf32>
}
"""
X = np.random.default_rng(0).normal(size=(10, 8)).astype(np.float32)


@pytest.mark.parametrize("cache_bytes", [0, 400, CACHE_BYTES])
def test_a_variant_is_what_its_run_is(cache_bytes: int):
    ctx = make_context()
    network, variant = (
        parse_module(NETWORK.replace("BLANK", kind), ctx) for kind in ("sqrt", "neg")
    )
    runner = VariantRunner(TpuOp, ctx.weights, network, {"x": X}, cache_bytes)
    for module in (network, variant, network):
        expected, found = run_tpu(module, ctx.weights, {"x": X}), runner.run(module)
        assert all(np.array_equal(expected[name], found[name]) for name in ("y", "z"))


def test_only_what_differs_is_computed():
    ctx = make_context()
    network, variant = (
        parse_module(NETWORK.replace("BLANK", kind), ctx) for kind in ("sqrt", "neg")
    )
    runner = VariantRunner(TpuOp, ctx.weights, network, {"x": X})
    runner.run(network)
    assert runner.evaluated == 5
    runner.run(variant)
    assert runner.evaluated == 7
    runner.run(network)
    assert runner.evaluated == 7
    assert runner.identity(network) == runner.identity(network.clone()) != runner.identity(variant)


def test_one_value_is_computed_from_what_it_needs():
    ctx = make_context()
    network = parse_module(NETWORK.replace("BLANK", "sqrt"), ctx)
    runner = VariantRunner(TpuOp, ctx.weights, network, {"x": X})
    found = runner.value(network, "b")
    assert found is not None and found.shape == (5, 2, 8) and runner.evaluated == 2
    assert np.allclose(found.reshape(10, 8), np.exp(np.tanh(X)), rtol=1e-5)
    assert runner.value(network, "none") is None
