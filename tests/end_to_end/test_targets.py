"""Small networks compile and run on every shipped target, and compute the same integers on all of them."""

from collections.abc import Callable

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from onnx import TensorProto, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import load_target, shipped_targets
from smalti.compiler import compile_model

from tests.commit_seed import share_of_commit

from .conftest import small_model
from .test_attention import post_norm, pre_norm
from .test_random_networks import check_f32, check_half, check_int8


def weight(rng: np.random.Generator, name: str, *shape: int) -> onnx.TensorProto:
    """Normal values of about the size that keeps a layer's output in range."""
    fan_in = max(np.prod(shape[1:]), 1)
    return numpy_helper.from_array(
        (rng.normal(size=shape) / np.sqrt(fan_in)).astype(np.float32), name
    )


def depthwise_model() -> onnx.ModelProto:
    """A strided convolution to 70 channels (no multiple of any lane count), depthwise, max pool, 1x1, mean."""
    rng = np.random.default_rng(5)
    nodes = [
        oh.make_node(
            "Conv", ["x", "w1", "b1"], ["c1"], name="stem", strides=[2, 2], pads=[1, 1, 1, 1]
        ),
        oh.make_node("Clip", ["c1", "zero", "six"], ["r1"], name="stem_clip"),
        oh.make_node("Conv", ["r1", "w2"], ["d"], name="depthwise", group=70, pads=[1, 1, 1, 1]),
        oh.make_node("MaxPool", ["d"], ["p"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
        oh.make_node("Conv", ["p", "w3"], ["q"], name="project"),
        oh.make_node("GlobalAveragePool", ["q"], ["y"], name="mean"),
    ]
    weights = [
        weight(rng, "w1", 70, 3, 3, 3), weight(rng, "b1", 70), weight(rng, "w2", 70, 1, 3, 3),
        weight(rng, "w3", 33, 70, 1, 1), numpy_helper.from_array(np.float32(0), "zero"),
        numpy_helper.from_array(np.float32(6), "six"),
    ]  # fmt: skip
    return model("depthwise", nodes, weights, [1, 3, 18, 14], [1, 33, 1, 1])


def perceptron() -> onnx.ModelProto:
    """Two products with odd sizes, an activation between them."""
    rng = np.random.default_rng(6)
    nodes = [
        oh.make_node("Gemm", ["x", "w1", "b1"], ["h"], name="hidden", transB=1),
        oh.make_node("Relu", ["h"], ["r"], name="hidden_relu"),
        oh.make_node("Gemm", ["r", "w2"], ["y"], name="out", transB=1),
    ]
    weights = [weight(rng, "w1", 131, 77), weight(rng, "b1", 131), weight(rng, "w2", 19, 131)]
    return model("perceptron", nodes, weights, [5, 77], [5, 19])


def model(
    name: str,
    nodes: list[onnx.NodeProto],
    weights: list[onnx.TensorProto],
    x: list[int],
    y: list[int],
) -> onnx.ModelProto:
    """A checked model with input `x` and output `y` of the given shapes."""
    graph = oh.make_graph(
        nodes,
        name,
        [oh.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [oh.make_tensor_value_info("y", TensorProto.FLOAT, y)],
        weights,
    )
    result = oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(result)
    return result


def samples(network: onnx.ModelProto, count: int) -> dict[str, np.ndarray]:
    """Normal values for the input of `network`, `count` samples."""
    dims = [d.dim_value for d in network.graph.input[0].type.tensor_type.shape.dim]
    shape = (count * dims[0], *dims[1:])
    return {"x": np.random.default_rng(8).normal(size=shape).astype(np.float32)}


@pytest.mark.share(3)
@pytest.mark.parametrize("build", [small_model, depthwise_model, perceptron])
def test_every_target_computes_the_same(build: Callable[[], onnx.ModelProto]):
    """INT8: equal to the bit everywhere, with the sanitizer; f32: within rounding of ONNX Runtime."""
    network = build()
    inputs = samples(network, 2)
    expected = run_onnx(network, inputs)["y"]
    reference = None
    for target in shipped_targets():
        int8 = compile_model(network, target=target, calibration=inputs)
        outputs = simulate(int8.program, inputs, mode="both", sanitize=True)
        assert outputs.outputs is not None and outputs.timing is not None
        # The vector unit may take all of the perceptron's products, which have few rows.
        assert outputs.timing.utilization > 0 or build is perceptron
        assert outputs.timing.cycles > 0 and outputs.timing.utilization <= 1
        got = outputs.outputs["y"]
        if reference is None:
            reference = got
            assert np.abs(got - expected).max() < 0.1 * np.ptp(expected)
        np.testing.assert_array_equal(got, reference, err_msg=target)
        f32 = compile_model(network, target=target, quantize="f32")
        got = simulate(f32.program, inputs, sanitize=True).outputs
        assert got is not None
        np.testing.assert_allclose(
            got["y"], expected, rtol=0, atol=1e-4 * np.ptp(expected), err_msg=target
        )


def check_levels(build: Callable[[], onnx.ModelProto], target: str, quantize: str) -> None:
    """tpu interpreter, tile interpreter and simulator agree, in INT8 to the bit, floats also with ONNX Runtime."""
    check = {"int8": check_int8, "f32": check_f32}.get(quantize, check_half)
    check(build(), target, load_target(target).cores)


FORMATS = ("f32", "f16", "int8")
"""check_half takes bf16 along with f16."""


@pytest.mark.share(3)
@pytest.mark.parametrize("quantize", FORMATS)
@pytest.mark.parametrize("target", shipped_targets())
def test_an_attention_block_on_every_target(target: str, quantize: str):
    check_levels(pre_norm, target, quantize)


@pytest.mark.slow
@pytest.mark.parametrize("target", shipped_targets())
@pytest.mark.parametrize("build", [small_model, depthwise_model, perceptron, post_norm])
def test_levels_agree_on_every_target(build: Callable[[], onnx.ModelProto], target: str):
    """Each network on each target in one of the formats, another one with another commit."""
    for quantize in share_of_commit(FORMATS, 3, f"{build.__name__} {target} {{}}".format):
        check_levels(build, target, quantize)
