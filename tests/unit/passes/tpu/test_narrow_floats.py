"""tpu-narrow-floats: the numbers of 8-bit integers, rounded to f16, are within an eighth of a step, and what is
computed of them rounds to the same integer as in f32, or to its neighbor.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalti.backends.interpreter.tpu import run_tpu
from smalti.backends.targets.target import load_target
from smalti.dialects.ir.target_attribute import set_target
from smalti.passes.tpu.narrow_floats import NarrowFloatsPass

SHAPE = "1x6x4x5"
F = f"tensor<{SHAPE}xf32>"
OPS = {
    "softmax": 'tpu.softmax "y" %f axis = 1',
    "normalize": 'tpu.normalize "y" %f kind = "mean_variance" axes = [1, 2] epsilon = 1.0e-5',
    "local_response_norm": 'tpu.local_response_norm "y" %f size = 3 alpha = 0.1 beta = 0.75 offset = 1.0',
}


def narrowed(module):
    """The module after the pass, for a target with twice as many lanes for f16."""
    set_target(module.module, "default-8c", load_target("default-8c"))
    NarrowFloatsPass().run(module.ctx, module.module)
    return module


@pytest.mark.share(3)
@pytest.mark.parametrize("kind", OPS)
@settings(suppress_health_check=list(HealthCheck))
@given(
    exponent=st.floats(-14, 6),
    ratio=st.floats(1e-3, 0.05),
    zero_point=st.integers(-128, 127),
    seed=st.integers(0, 2**16),
)
def test_integers_are_the_same_or_neighbors(
    piped, network, kind, exponent, ratio, zero_point, seed
):
    scale = float(2.0**exponent)
    # Local response normalization keeps the magnitude of its input, the others make one of their own.
    out_scale = max(2.0**-14, scale * 50 * ratio) if kind == "local_response_norm" else ratio
    q = f"tensor<{SHAPE}x!quant.uniform<i8:f32, {scale!r}:{zero_point}>>"
    p = f"tensor<{SHAPE}x!quant.uniform<i8:f32, {out_scale!r}:{-zero_point - 1}>>"
    read = f'%q = tpu.cast "q" %x : ({F}) -> {q}\n%f = tpu.cast "f" %q : ({q}) -> {F}\n'
    compute = (
        f'%y = {OPS[kind]} : ({F}) -> {F}\n%p = tpu.cast "p" %y : ({F}) -> {p}\n'
        f'%out = tpu.cast "out" %p : ({p}) -> {F}\n'
    )

    def run(module, x):
        return run_tpu(module.module, module.ctx.weights, {"x": x})

    random = np.random.default_rng(seed)
    x = random.normal(0, scale * 60, (1, 6, 4, 5)).astype(np.float32)
    numbers = run(piped(network({"x": f"{SHAPE}xf32"}, read, "%f", f"{SHAPE}xf32")), x)["out"]
    rounded = numbers.astype(np.float16).astype(np.float32)
    assert (np.abs(rounded - numbers) <= scale / 8).all()
    whole = narrowed(piped(network({"x": f"{SHAPE}xf32"}, read + compute, "%out", f"{SHAPE}xf32")))
    assert "xf16>" in str(whole.module)
    in_f32 = piped(network({"f": f"{SHAPE}xf32"}, compute, "%out", f"{SHAPE}xf32"))
    expected = run_tpu(in_f32.module, in_f32.ctx.weights, {"f": rounded})["out"]
    np.testing.assert_array_less(np.abs(run(whole, x)["out"] - expected), 1.001 * out_scale)
