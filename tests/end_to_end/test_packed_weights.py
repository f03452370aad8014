"""Weights of 4 bits: packed in global and local memory, unpacked by the units, the same numbers at every level."""

from pathlib import Path

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from hypothesis import given, settings
from onnx import TensorProto, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.model import CompiledModel, compile_model
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module, print_module

from .random_networks import networks
from .test_random_networks import SETTINGS, close, inputs_of, levels, same


def network() -> onnx.ModelProto:
    """A dense, a grouped, a depthwise and a pointwise convolution, and a matrix product, with odd channels."""
    generator = np.random.default_rng(3)
    shapes = {
        "w1": (15, 3, 3, 3),
        "w2": (15, 5, 3, 3),
        "w3": (15, 1, 3, 3),
        "w4": (37, 15, 1, 1),
        "w5": (37, 9),
    }
    weights = [
        numpy_helper.from_array(generator.normal(0, 0.3, shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        oh.make_node("Conv", ["x", "w1"], ["a"], pads=[1] * 4),
        oh.make_node("Conv", ["a", "w2"], ["b"], pads=[1] * 4, group=3),
        oh.make_node("Relu", ["b"], ["c"]),
        oh.make_node("Conv", ["c", "w3"], ["d"], pads=[1] * 4, strides=[2, 2], group=15),
        oh.make_node("Conv", ["d", "w4"], ["e"]),
        oh.make_node("GlobalAveragePool", ["e"], ["f"]),
        oh.make_node("Flatten", ["f"], ["g"]),
        oh.make_node("MatMul", ["g", "w5"], ["y"]),
    ]
    image = oh.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 11, 9])
    result = oh.make_tensor_value_info("y", TensorProto.FLOAT, [1, 9])
    graph = oh.make_graph(nodes, "packed", [image], [result], weights)
    return oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("machine", [("default-8c", 8), ("default-8c", 1), ("edge-1c", 1)])
@pytest.mark.parametrize("scheme", ["w4a8", "w4a4"])
def test_levels_agree_to_the_bit(scheme: str, machine: tuple[str, int]):
    model = network()
    inputs = inputs_of(model, 3)
    options = CompileOptions(*machine, calibration=inputs, scheme=scheme)
    tpu, tile, program = levels(model, options, inputs)
    same(tile, tpu, "tile interpreter against tpu")
    same(program, tpu, "program against tpu")
    expected = run_onnx(model, inputs)["y"]
    signal = np.linalg.norm(expected) / np.linalg.norm(expected - program["y"])
    assert signal > {"w4a8": 3, "w4a4": 1.5}[scheme]


@pytest.mark.parametrize("machine", [("default-8c", 8), ("edge-1c", 1)])
@pytest.mark.parametrize("scheme", ["w8f16", "w4bf16"])
def test_levels_of_floats_with_integer_weights_agree(scheme: str, machine: tuple[str, int]):
    model = network()
    inputs = inputs_of(model, 2)
    tpu, tile, program = levels(model, CompileOptions(*machine, scheme=scheme), inputs)
    close(tile, tpu, 0.01, "tile interpreter against tpu")
    same(program, tile, "program against tile interpreter")
    expected = run_onnx(model, inputs)["y"]
    signal = np.linalg.norm(expected) / np.linalg.norm(expected - program["y"])
    assert signal > {"w8f16": 50, "w4bf16": 4}[scheme]


@given(networks())
@settings(max_examples=8, **SETTINGS)
def test_levels_of_random_networks_agree_to_the_bit(model: onnx.ModelProto):
    inputs = inputs_of(model, 2)
    options = CompileOptions("default-8c", 3, calibration=inputs, scheme="w4a4")
    tpu, tile, program = levels(model, options, inputs)
    same(tile, tpu, "tile interpreter against tpu")
    same(program, tpu, "program against tpu")


@pytest.fixture(scope="module")
def compiled() -> CompiledModel:
    """The network with weights of 4 bits for the small target."""
    return compile_model(network(), target="edge-1c", calibration="random:1", scheme="w4a8")


def test_a_packed_listing_is_read_back(compiled: CompiledModel):
    text = compiled.ir("isa")
    assert text.count("w_type=i4") >= 5
    assert print_module(parse_module(text, make_context(), "packed.isa.mlir")) == text


def test_products_of_four_bits_go_at_their_rate():
    generator = np.random.default_rng(5)
    weights = [
        numpy_helper.from_array(generator.normal(0, 0.1, (64, 64, 3, 3)).astype(np.float32), name)
        for name in ("v", "w")
    ]
    nodes = [oh.make_node("Conv", ["x", "v"], ["t"]), oh.make_node("Conv", ["t", "w"], ["y"])]
    shapes = {"x": [1, 64, 36, 36], "y": [1, 64, 32, 32]}
    x, y = (
        oh.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()
    )
    graph = oh.make_graph(nodes, "narrow", [x], [y], weights)
    model = oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)
    compiled = compile_model(model, target="edge-1c", calibration="random:1", scheme="w4a4")
    listed = [line for line in compiled.ir("isa").splitlines() if ": conv2d " in line]
    # What the first convolution reads is the network's input, of 8 bits; the second one reads 4.
    assert {"narrow_x=1" in line for line in listed if ' for "y"' in line} == {True}
    assert {"narrow_x=1" in line for line in listed if ' for "t"' in line} == {False}
    busy = {name: cost.busy["matrix"] for name, cost in compiled.profile().op_costs().items()}
    assert busy["y"] < 0.6 * busy["t"]


@pytest.mark.share(3)
def test_half_of_the_bytes_of_weights_cross_global_memory():
    generator = np.random.default_rng(5)
    weights = numpy_helper.from_array(generator.normal(size=(512, 1024)).astype(np.float32), "w")
    graph = oh.make_graph(
        [oh.make_node("MatMul", ["x", "w"], ["y"])],
        "wide",
        [oh.make_tensor_value_info("x", TensorProto.FLOAT, [1, 512])],
        [oh.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1024])],
        [weights],
    )
    model = oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)
    compiled = {
        scheme: compile_model(model, calibration="random:1", scheme=scheme)
        for scheme in ("int8", "w4a8")
    }
    profiles = {scheme: each.profile() for scheme, each in compiled.items()}
    read = {scheme: timing.memory_bytes["global_read"] for scheme, timing in profiles.items()}
    # A table of 3 words for each column, and the input, are read besides.
    rest = 1024 * 12 + 512 * 4
    assert abs(read["int8"] - 512 * 1024 - rest) < 1024
    assert abs(read["w4a8"] - 512 * 1024 // 2 - rest) < 1024
    assert profiles["w4a8"].cycles < 0.75 * profiles["int8"].cycles
    bounds = {scheme: each.bound.cycles for scheme, each in compiled.items() if each.bound}
    assert bounds["w4a8"] < 0.6 * bounds["int8"]


def test_a_target_that_unpacks_no_weights_is_told(tmp_path: Path):
    with pytest.raises(DiagnosticError) as raised:
        compile_model(network(), target="systolic-256", calibration="random:1", scheme="w4a8")
    assert raised.value.message == (
        "target 'systolic-256' cannot compute by scheme 'w4a8': its matrix unit has no rate for weights of i4"
    )
    assert (raised.value.hint or "").startswith("it computes by int8, f32, f16, bf16")
