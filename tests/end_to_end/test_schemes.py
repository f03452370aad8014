"""Schemes: every one runs on every level, integers equal to the bit, and is as near the floats as its steps allow."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.numerics.storage import PACKED_NAMES, SCALED_FLOAT_NAMES
from smalti.backends.targets.target import Target, load_target
from smalti.compiler import compile_model
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir
from smalti.dialects import top, tpu
from smalti.dialects.quant import UniformQuantizedType
from smalti.dialects.quant.element_type import element_of
from smalti.passes.top.calibration_table import table_of, write_table
from smalti.passes.top_to_tpu.precision.schemes import SCHEMES, check_target
from xdsl.ir import SSAValue

from tests.commit_seed import seed_of_commit

from .random_networks import networks
from .test_random_networks import MACHINES, close, inputs_of, levels, same

PLAIN = sorted(
    name
    for name, scheme in SCHEMES.items()
    if scheme.weights not in (*PACKED_NAMES, *SCALED_FLOAT_NAMES)
)
"""The schemes that every target computes by."""
INTEGERS = [name for name in PLAIN if SCHEMES[name].quantizes]
SETTINGS = {"suppress_health_check": list(HealthCheck), "derandomize": True}


def check_levels(model: onnx.ModelProto, machine: tuple[str, int], scheme: str) -> None:
    """The levels agree to the bit."""
    inputs = inputs_of(model, 2)
    options = CompileOptions(*machine, None, inputs, scheme=scheme)
    tpu_level, tile, program = levels(model, options, inputs)
    same(tile, tpu_level, "tile interpreter against tpu")
    same(program, tpu_level, "program against tpu")


def check_mixed(model: onnx.ModelProto, machine: tuple[str, int], layers: list[str]) -> None:
    """The program of a network whose layers compute by `layers`, in turn, gives what the tile interpreter gives; both
    are near the tpu interpreter, which sums floats in another order.
    """
    inputs = inputs_of(model, 2)
    start = start_from_model(model, CompileOptions(quantize="f32"))
    start.lower_to("top")
    ops = [op for op in start.module.walk() if isinstance(op, top.TopOp)]
    names = [op.result_name.data for op in ops if not isinstance(op, top.WeightOp)]
    with TemporaryDirectory() as folder:
        table = Path(folder) / "layers.qtable"
        rows = (f'"{name}" {layers[i % len(layers)]}\n' for i, name in enumerate(names))
        table.write_text("".join(rows))
        options = CompileOptions(*machine, None, inputs, scheme=layers[0], qtable=table)
        tpu_level, tile, program = levels(model, options, inputs)
    same(program, tile, "program against tile")
    close(tile, tpu_level, 0.1, "tile against tpu")


@given(networks(), MACHINES, st.sampled_from(INTEGERS))
@settings(max_examples=8, **SETTINGS)
def test_levels_agree_to_the_bit(model: onnx.ModelProto, machine: tuple[str, int], scheme: str):
    check_levels(model, machine, scheme)


@pytest.mark.share(3)
@given(networks(), MACHINES, st.lists(st.sampled_from(PLAIN), min_size=2, max_size=5))
@settings(max_examples=8, **SETTINGS)
def test_mixed_networks_agree(model: onnx.ModelProto, machine: tuple[str, int], layers: list[str]):
    check_mixed(model, machine, layers)


@pytest.mark.slow
def test_many():
    """Other networks with each commit."""

    @seed(seed_of_commit())
    @given(networks(max_nodes=12), MACHINES, st.sampled_from(INTEGERS))
    @settings(max_examples=150, **{**SETTINGS, "derandomize": False})
    def check(model: onnx.ModelProto, machine: tuple[str, int], scheme: str) -> None:
        check_levels(model, machine, scheme)

    check()


@pytest.mark.parametrize("machine", [("default-8c", 3), ("edge-1c", 1)])
def test_unsigned_activations_stand_for_the_numbers_of_signed_ones(machine: tuple[str, int]):
    """Ports and buffers of `u8-asymmetric` hold u8, with zero points that are greater by 128."""
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[2,3,9,7] x) => (float[2,5,9,7] y, float[2,5,9,7] z) '
        "{ a = Conv<pads=[1,1,1,1]>(x, v) b = Sigmoid(a) c = MaxPool<kernel_shape=[3,3],pads=[1,1,1,1]>(a) "
        "y = Add(b, c) z = Conv<pads=[1,1,1,1],group=5>(y, w) }"
    )
    random = np.random.default_rng(3)
    shapes = {"v": (5, 3, 3, 3), "w": (5, 1, 3, 3)}
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(random.normal(size=shape).astype(np.float32), name)
        for name, shape in shapes.items()
    )
    inputs = inputs_of(model, 2)
    signed, unsigned = (
        compile_model(
            model,
            target=machine[0],
            cores=machine[1],
            calibration=inputs,
            scheme=scheme,
            io_quantized=True,
        )
        for scheme in ("asymmetric-minmax", "u8-asymmetric")
    )
    same(unsigned.run(inputs), signed.run(inputs), "u8 against i8")
    ports = [(*each.program.inputs, *each.program.outputs) for each in (signed, unsigned)]
    for one, other in zip(*ports, strict=True):
        assert (one.storage, other.storage) == ("i8", "u8")
        assert one.quantization is not None and other.quantization is not None
        assert other.quantization.scale == one.quantization.scale
        assert other.quantization.zero_point == one.quantization.zero_point + 128
    listing = unsigned.ir("isa")
    assert "type=u8" in listing and " type=i8" not in listing


def test_a_target_without_unsigned_products_is_told():
    text = load_target("edge-1c").to_json()
    machine = json.loads(text)
    del machine["matrix"]["macs_per_cycle"]["u8"]
    target = Target.from_json(json.dumps(machine))
    with pytest.raises(DiagnosticError) as caught:
        check_target(SCHEMES["u8-asymmetric"], target)
    assert caught.value.message == (
        "target 'edge-1c' cannot compute by scheme 'u8-asymmetric': its matrix unit has no rate for activations of u8"
    )
    assert "u8-asymmetric" not in (caught.value.hint or "").split(";")[0]


def step_of(value: SSAValue) -> np.ndarray:
    """The distance of two neighboring numbers of a quantized tensor, or of each channel of weights."""
    element = element_of(value)
    assert isinstance(element, UniformQuantizedType)
    return np.asarray(element.scales, np.float64)


@pytest.mark.parametrize("name", INTEGERS)
@given(
    rows=st.integers(1, 4),
    depth=st.integers(1, 40),
    columns=st.integers(1, 9),
    seed=st.integers(0, 99),
)
@settings(max_examples=6, **SETTINGS)
def test_errors_are_those_of_the_steps(name: str, rows: int, depth: int, columns: int, seed: int):
    """No result of a product is further from that of floats than half a step of its input, its weights, its bias and
    itself make up, if nothing saturates.
    """
    random = np.random.default_rng(seed)
    x, w = random.normal(size=(rows, depth)), random.normal(size=(depth, columns))
    bias = random.normal(size=columns)
    model = onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : 17]> g (float[{rows},{depth}] x) => (float[{rows},{columns}] y) '
        "{ y = Gemm(x, w, b) }"
    )
    weights = {"w": w.astype(np.float32), "b": bias.astype(np.float32)}
    model.graph.initializer.extend(onnx.numpy_helper.from_array(a, n) for n, a in weights.items())
    exact = x.astype(np.float32) @ weights["w"].astype(np.float64) + bias
    with TemporaryDirectory() as folder:
        table = Path(folder) / "all.calibration"
        ranges = {"x": x, "y": exact}
        write_table(
            table_of({n: (float(a.min()), float(a.max())) for n, a in ranges.items()}), table
        )
        options = CompileOptions("edge-1c", None, None, table, scheme=name)
        given = {"x": x.astype(np.float32)}
        compilation = start_from_model(model, options)
        compilation.lower_to("tpu")
        (product,) = (op for op in compilation.module.walk() if isinstance(op, tpu.MatmulOp))
        found = run_ir(compilation.module, compilation.ctx, given)["y"]
    sx, sw, sy = map(step_of, (product.lhs, product.rhs, product.output))
    # Where the range begins at a number that is no step, the zero point moves it by up to half a step.
    bound = (np.abs(w).sum(axis=0) + depth * sw / 2) * sx + np.abs(x).sum(
        axis=1, keepdims=True
    ) * sw / 2
    bound = bound + (sx * sw) / 2 + sy
    assert np.all(np.abs(found - exact) <= bound * (1 + 1e-5) + 1e-6)
