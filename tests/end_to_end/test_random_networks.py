"""Random networks: the program, for every target and number of cores, computes what the levels above it mean."""

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from smalti.backends.cpu.session import run_onnx
from smalti.backends.program import container
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import load_target, shipped_targets
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir

from tests.commit_seed import seed_of_commit

from .random_networks import networks

CORES = {name: load_target(name).cores for name in shipped_targets()}
MACHINES = st.sampled_from(sorted(CORES)).flatmap(
    lambda target: st.tuples(st.just(target), st.integers(1, CORES[target]))
)
"""Each shipped target, with some of its cores."""

Arrays = dict[str, np.ndarray]


def inputs_of(model: onnx.ModelProto, samples: int) -> Arrays:
    """Normal values for the model's input `x`, `samples` of them."""
    dims = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    shape = (samples * dims[0], *dims[1:])
    return {"x": np.random.default_rng(7).normal(size=shape).astype(np.float32)}


def levels(
    model: onnx.ModelProto, options: CompileOptions, inputs: Arrays
) -> tuple[Arrays, Arrays, Arrays]:
    """Outputs of the tpu interpreter, the tile interpreter and the program with the sanitizer."""
    compilation = start_from_model(model, options)
    compilation.lower_to("tpu")
    tpu = run_ir(compilation.module, compilation.ctx, inputs)
    compilation.lower_to("tile")
    tile = run_ir(compilation.module, compilation.ctx, inputs)
    program = container.read(container.write(compilation.assemble()))
    outputs = simulate(program, inputs, sanitize=True).outputs
    assert outputs is not None
    return tpu, tile, outputs


def same(got: Arrays, expected: Arrays, what: str) -> None:
    """To the bit."""
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(got[name], value, err_msg=f"{what}: {name}")


def close(got: Arrays, expected: Arrays, tolerance: float, what: str) -> None:
    """Within a share of the range of values."""
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        assert got[name].shape == value.shape
        atol = tolerance * max(float(np.abs(value).max()), 1e-3)
        np.testing.assert_allclose(got[name], value, rtol=0, atol=atol, err_msg=f"{what}: {name}")


def near(got: Arrays, expected: Arrays, atol: float, what: str) -> None:
    """Within a distance."""
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(got[name], value, rtol=0, atol=atol, err_msg=f"{what}: {name}")


def check_int8(model: onnx.ModelProto, target: str, cores: int) -> None:
    """Levels agree to the bit with each other, and with the levels on one core of the smallest target."""
    inputs = inputs_of(model, 2)
    options = CompileOptions(target, cores, "int8", inputs)
    tpu, tile, program = levels(model, options, inputs)
    same(tile, tpu, "tile interpreter against tpu")
    same(program, tpu, "program against tpu")
    other = start_from_model(model, CompileOptions("edge-1c", 1, "int8", inputs))
    other.lower_to("tpu")
    same(run_ir(other.module, other.ctx, inputs), tpu, "tpu for edge-1c")


def check_f32(model: onnx.ModelProto, target: str, cores: int) -> None:
    """Levels agree within rounding with each other and with ONNX Runtime."""
    inputs = inputs_of(model, 1)
    expected = run_onnx(model, inputs)
    results = levels(model, CompileOptions(target, cores, "f32"), inputs)
    for result, what in zip(results, ("tpu", "tile", "program"), strict=True):
        close(result, expected, 1e-4, what)
    same(results[2], results[1], "program against tile")


def check_half(model: onnx.ModelProto, target: str, cores: int) -> None:
    """In f16 and bf16 levels agree within a few steps of the type, and with ONNX Runtime in f32 within more.

    Steps of the greatest number in the network: sums that cancel keep the errors of their terms.
    """
    inputs = inputs_of(model, 1)
    tensors = run_onnx(model, inputs, intermediates=True)
    expected = {value.name: tensors[value.name] for value in model.graph.output}
    greatest = max(float(np.abs(value).max()) for value in [*tensors.values(), inputs["x"]])
    for quantize, step in (("f16", 2.0**-11), ("bf16", 2.0**-8)):
        tpu, tile, program = levels(model, CompileOptions(target, cores, quantize), inputs)
        near(tile, tpu, 4 * step * greatest, f"{quantize}: tile against tpu")
        same(program, tile, f"{quantize}: program against tile")
        near(program, expected, 16 * step * greatest, f"{quantize}: program against ONNX Runtime")


SETTINGS = {"suppress_health_check": list(HealthCheck), "derandomize": True}


@pytest.mark.share(3)
@given(networks(), MACHINES)
@settings(max_examples=40, **SETTINGS)
def test_int8_levels_agree_to_the_bit(model: onnx.ModelProto, machine: tuple[str, int]):
    check_int8(model, *machine)


@pytest.mark.share(3)
@given(networks(), MACHINES)
@settings(max_examples=25, **SETTINGS)
def test_f32_levels_agree(model: onnx.ModelProto, machine: tuple[str, int]):
    check_f32(model, *machine)


@pytest.mark.share(3)
@given(networks(amplifies=False), MACHINES)
@settings(max_examples=25, **SETTINGS)
def test_half_precision_levels_agree(model: onnx.ModelProto, machine: tuple[str, int]):
    check_half(model, *machine)


@pytest.mark.slow
@pytest.mark.parametrize("check", [check_int8, check_f32, check_half])
def test_many(check):
    """Other networks with each commit."""

    @seed(seed_of_commit())
    @given(
        networks(max_nodes=12, amplifies=check is not check_half),
        MACHINES,
    )
    @settings(max_examples=50, **{**SETTINGS, "derandomize": False, "database": None})
    def run(model: onnx.ModelProto, machine: tuple[str, int]):
        check(model, *machine)

    run()
