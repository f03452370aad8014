"""Products of scaled floats of 8 bits: the same numbers at every level, on a target that multiplies them."""

import ml_dtypes
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.model import compile_model

from .random_networks import networks
from .test_grouped_weights import network
from .test_packed_weights import network as network_of_depthwise
from .test_random_networks import SETTINGS, close, inputs_of, levels, same

SCHEMES = ["f8e4m3", "f8e5m2"]
TYPES = {"f8e4m3": ml_dtypes.float8_e4m3fn, "f8e5m2": ml_dtypes.float8_e5m2}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("cores", [1, 8])
def test_levels_agree(scheme: str, cores: int):
    model = network() if cores == 8 else network_of_depthwise()
    inputs = inputs_of(model, 2)
    options = CompileOptions("bm1690-8c", cores, calibration=inputs, scheme=scheme)
    tpu, tile, program = levels(model, options, inputs)
    close(tile, tpu, 0.01, "tile interpreter against tpu")
    same(program, tile, "program against tile interpreter")
    expected = run_onnx(model, inputs)["y"]
    assert np.linalg.norm(expected) > 4 * np.linalg.norm(expected - program["y"])


@given(networks(), st.lists(st.sampled_from([*SCHEMES, "int8", "f16"]), min_size=2, max_size=4))
@settings(max_examples=8, **SETTINGS)
def test_mixed_random_networks_agree(model: onnx.ModelProto, layers: list[str]):
    """Layers compute by the schemes in turn."""
    from .test_schemes import check_mixed

    check_mixed(model, ("bm1690-8c", 3), layers)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_product_is_that_of_rounded_numbers(scheme: str):
    """Both sides are rounded to the type, scaled so that their greatest numbers are its own, and summed in f32."""
    random = np.random.default_rng(2)
    x, w = (random.normal(size=shape).astype(np.float32) for shape in ((5, 40), (40, 7)))
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[5,40] x) => (float[5,7] y) { y = MatMul(x, w) }'
    )
    model.graph.initializer.append(onnx.numpy_helper.from_array(w, "w"))
    compiled = compile_model(
        model, target="bm1690-8c", cores=1, calibration={"x": x}, scheme=scheme
    )
    kind = TYPES[scheme]
    most = float(ml_dtypes.finfo(kind).max)
    sx, sw = np.abs(x).max() / most, np.abs(w).max(axis=0) / most
    half = x.astype(np.float16).astype(np.float32)
    left, right = (half / sx).astype(kind), (w / sw).astype(kind)
    expected = (left.astype(np.float64) @ right.astype(np.float64)) * sx * sw
    found = compiled.run({"x": x})["y"]
    assert np.abs(found - expected).max() < 2e-3 * np.abs(expected).max()
    listing = compiled.ir("isa")
    assert f" type={ {'f8e4m3': 'f8E4M3FN', 'f8e5m2': 'f8E5M2'}[scheme] }," in listing


def test_mistakes():
    with pytest.raises(DiagnosticError) as caught:
        compile_model(network(), calibration="random:1", scheme="f8e4m3")
    assert caught.value.message == (
        "target 'default-8c' cannot compute by scheme 'f8e4m3': its matrix unit has no rate for weights of f8E4M3FN"
    )
    assert "f8" not in (caught.value.hint or "").split(";")[0]
    with pytest.raises(DiagnosticError, match="scheme=f8e5m2 needs calibration data"):
        compile_model(network(), target="bm1690-8c", scheme="f8e5m2")
