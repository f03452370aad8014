"""Weights of 4 bits with a scale for each group of input channels: the same numbers at every level."""

import json

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.targets.target import Target, load_target
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.model import compile_model
from smalti.passes.top_to_tpu.precision.schemes import SCHEMES, Scheme, check_target

from .random_networks import networks
from .test_random_networks import SETTINGS, close, inputs_of, levels, same


def network() -> onnx.ModelProto:
    """A dense, a grouped and a pointwise convolution and matrix products, with a last group that is not full."""
    generator = np.random.default_rng(3)
    shapes = {
        "w1": (70, 3, 3, 3),
        "w2": (70, 70, 3, 3),
        "w3": (74, 35, 3, 3),
        "w4": (37, 74, 1, 1),
        "w5": (37, 150),
        "w6": (150, 9),
    }
    weights = [
        numpy_helper.from_array(generator.normal(0, 0.1, shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        oh.make_node("Conv", ["x", "w1"], ["a"], pads=[1] * 4),
        oh.make_node("Conv", ["a", "w2"], ["b"], pads=[1] * 4, strides=[2, 2]),
        oh.make_node("Relu", ["b"], ["c"]),
        oh.make_node("Conv", ["c", "w3"], ["d"], pads=[1] * 4, group=2),
        oh.make_node("Conv", ["d", "w4"], ["e"]),
        oh.make_node("GlobalAveragePool", ["e"], ["f"]),
        oh.make_node("Flatten", ["f"], ["g"]),
        oh.make_node("MatMul", ["g", "w5"], ["h"]),
        oh.make_node("Relu", ["h"], ["i"]),
        oh.make_node("MatMul", ["i", "w6"], ["y"]),
    ]
    image = oh.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 11, 9])
    result = oh.make_tensor_value_info("y", TensorProto.FLOAT, [1, 9])
    graph = oh.make_graph(nodes, "grouped", [image], [result], weights)
    return oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize(
    ("machine", "scheme"),
    [(("default-8c", 8), "w4a8-g32"), (("edge-1c", 1), "w4a8-g32"), (("edge-1c", 1), "w4a8-g64")],
)
def test_levels_agree_to_the_bit(scheme: str, machine: tuple[str, int]):
    model = network()
    inputs = inputs_of(model, 2)
    tpu, tile, program = levels(
        model, CompileOptions(*machine, calibration=inputs, scheme=scheme), inputs
    )
    same(tile, tpu, "tile interpreter against tpu")
    same(program, tpu, "program against tpu")
    expected = run_onnx(model, inputs)["y"]
    assert np.linalg.norm(expected) > 4 * np.linalg.norm(expected - program["y"])


@pytest.mark.parametrize("scheme", ["w4f16-g32", "w4bf16-g64"])
def test_levels_of_floats_agree(scheme: str):
    model = network()
    inputs = inputs_of(model, 2)
    tpu, tile, program = levels(model, CompileOptions("edge-1c", 1, scheme=scheme), inputs)
    close(tile, tpu, 0.01, "tile interpreter against tpu")
    same(program, tile, "program against tile interpreter")
    expected = run_onnx(model, inputs)["y"]
    assert np.linalg.norm(expected) > 4 * np.linalg.norm(expected - program["y"])


@given(networks(), st.sampled_from(["i8", "u8", "i16"]), st.integers(2, 5))
@settings(max_examples=8, **SETTINGS)
def test_levels_of_random_networks_agree_to_the_bit(
    model: onnx.ModelProto, activations: str, size: int
):
    """With groups so small that the few channels of random networks make several."""
    scheme = Scheme(
        "small-groups", "", activations, "i4", symmetric=activations == "i16", weight_scales=size
    )
    inputs = inputs_of(model, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SCHEMES, scheme.name, scheme)  # pyright: ignore[reportArgumentType]
        options = CompileOptions("default-8c", 3, calibration=inputs, scheme=scheme.name)
        tpu, tile, program = levels(model, options, inputs)
    same(tile, tpu, "tile interpreter against tpu")
    same(program, tpu, "program against tpu")


@pytest.mark.share(4)
def test_scales_cross_global_memory_beside_their_groups():
    """For each 32 weights of a column, of half a byte, one byte of scale."""
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
    read = {
        scheme: compile_model(model, calibration="random:1", scheme=scheme)
        .profile()
        .memory_bytes["global_read"]
        for scheme in ("w4a8", "w4a8-g32", "w4f16", "w4f16-g128")
    }
    assert abs(read["w4a8-g32"] - read["w4a8"] - 512 * 1024 // 32) < 1024
    # A scale of two bytes for each 128 weights, in place of one for each column in the table of the epilogue.
    assert abs(read["w4f16-g128"] - read["w4f16"] - 2 * 512 * 1024 // 128 + 4 * 1024) < 1024


def test_a_target_without_scales_of_groups_is_told():
    machine = json.loads(load_target("edge-1c").to_json())
    machine["matrix"]["group_scales"] = False
    target = Target.from_json(json.dumps(machine))
    with pytest.raises(DiagnosticError) as caught:
        check_target(SCHEMES["w4a8-g32"], target)
    assert caught.value.message == (
        "target 'edge-1c' cannot compute by scheme 'w4a8-g32': its units multiply no weights by scales of groups of "
        "input channels"
    )
    assert "w4a8," in (caught.value.hint or "") and "w4a8-g32" not in (caught.value.hint or "")
