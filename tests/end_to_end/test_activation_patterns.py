"""Activations written as several ops, in blocks of networks that use them: recognized, and right on every level."""

import numpy as np
import pytest
from onnx import helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions

from tests.unit.compiler.onnx_import.onnx_models import model_of

from .test_random_networks import close, levels, same

N = helper.make_node
C = {name: np.float32(value) for name, value in {
    "half": 0.5, "one": 1, "three": 3, "six": 6, "zero": 0, "root": 1.4142135, "cubic": 0.044715, "outer": 0.7978846,
}.items()}  # fmt: skip
PATTERNS = {
    "swish": [N("Sigmoid", ["x"], ["s"]), N("Mul", ["x", "s"], ["y"])],
    "mish": [N("Softplus", ["x"], ["p"]), N("Tanh", ["p"], ["t"]), N("Mul", ["t", "x"], ["y"])],
    "hard_sigmoid": [N("Add", ["x", "three"], ["a"]), N("Clip", ["a", "zero", "six"], ["c"]),
                     N("Div", ["c", "six"], ["y"])],
    "hard_swish": [N("Add", ["x", "three"], ["a"]), N("Clip", ["a", "zero", "six"], ["c"]), N("Mul", ["x", "c"], ["m"]),
                   N("Div", ["m", "six"], ["y"])],
    "gelu": [N("Div", ["x", "root"], ["d"]), N("Erf", ["d"], ["e"]), N("Add", ["e", "one"], ["a"]),
             N("Mul", ["x", "a"], ["m"]), N("Mul", ["m", "half"], ["y"])],
    "gelu_tanh": [N("Pow", ["x", "three"], ["p"]), N("Mul", ["p", "cubic"], ["q"]), N("Add", ["x", "q"], ["u"]),
                  N("Mul", ["u", "outer"], ["v"]), N("Tanh", ["v"], ["t"]), N("Add", ["one", "t"], ["a"]),
                  N("Mul", ["half", "x"], ["h"]), N("Mul", ["h", "a"], ["y"])],
}  # fmt: skip


def used(nodes):
    return {name: C[name] for node in nodes for name in node.input if name in C}


@pytest.mark.parametrize("kind", PATTERNS)
def test_pattern_becomes_one_op(kind: str):
    nodes = PATTERNS[kind]
    x = np.linspace(-6, 6, 240).astype(np.float32).reshape(2, 4, 30)
    model = model_of(nodes, {"x": x.shape}, constants=used(nodes))
    compilation = start_from_model(model, CompileOptions("edge-1c", None, "f32"))
    compilation.lower_to("top")
    ops = [op for op in compilation.module.walk() if op.name.startswith("top.")]
    assert [(op.name, op.properties["kind"].data) for op in ops] == [("top.unary", kind)]
    expected = run_onnx(model, {"x": x})
    for result in levels(model, CompileOptions("edge-1c", None, "f32"), {"x": x}):
        close(result, expected, 1e-6, kind)


def weights(**shapes: tuple[int, ...]):
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape).astype(np.float32)
        for name, shape in shapes.items()
    }


def mobilenet_v3_block():
    """Expansion, depthwise convolution, squeeze and excitation, projection, residual."""
    constants = weights(
        w1=(24, 8, 1, 1), w2=(24, 1, 3, 3), w3=(6, 24, 1, 1), w4=(24, 6, 1, 1), w5=(8, 24, 1, 1)
    )
    nodes = [
        N("Conv", ["x", "w1"], ["a"]), N("HardSwish", ["a"], ["b"]),
        N("Conv", ["b", "w2"], ["c"], group=24, pads=[1, 1, 1, 1]), N("HardSwish", ["c"], ["d"]),
        N("GlobalAveragePool", ["d"], ["e"]), N("Conv", ["e", "w3"], ["f"]), N("Relu", ["f"], ["g"]),
        N("Conv", ["g", "w4"], ["h"]), N("HardSigmoid", ["h"], ["i"], alpha=1 / 6), N("Mul", ["d", "i"], ["j"]),
        N("Conv", ["j", "w5"], ["k"]), N("Add", ["k", "x"], ["y"]),
    ]  # fmt: skip
    return model_of(nodes, {"x": (1, 8, 10, 10)}, constants=constants)


def yolo_block():
    """Convolutions with SiLU, written as x·sigmoid(x), a bottleneck and a decoded output."""
    constants = weights(w1=(16, 8, 3, 3), w2=(8, 16, 1, 1), w3=(16, 8, 3, 3), w4=(6, 16, 1, 1))
    nodes = []
    for index, (source, pads) in enumerate((("x", 1), ("m1", 0), ("m2", 1)), 1):
        nodes += [
            N("Conv", [source, f"w{index}"], [f"c{index}"], pads=[pads] * 4),
            N("Sigmoid", [f"c{index}"], [f"s{index}"]),
            N("Mul", [f"c{index}", f"s{index}"], [f"m{index}"]),
        ]
    nodes += [
        N("Add", ["m1", "m3"], ["r"]),
        N("Conv", ["r", "w4"], ["o"]),
        N("Sigmoid", ["o"], ["y"]),
    ]
    return model_of(nodes, {"x": (1, 8, 12, 12)}, constants=constants)


@pytest.mark.parametrize("block", [mobilenet_v3_block, yolo_block])
@pytest.mark.parametrize("target", ["edge-1c", "default-8c"])
def test_block(block, target: str):
    model = block()
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    inputs = {"x": np.random.default_rng(1).normal(size=shape).astype(np.float32)}
    expected = run_onnx(model, inputs)
    f32 = levels(model, CompileOptions(target, None, "f32"), inputs)
    for result in f32:
        close(result, expected, 1e-5, "f32")
    tpu, tile, program = levels(model, CompileOptions(target, None, "int8", inputs), inputs)
    same(tile, tpu, "tile interpreter against tpu")
    same(program, tpu, "program against tpu")
    noise = np.square(program["y"] - expected["y"]).sum()
    signal = np.square(expected["y"] - expected["y"].mean()).sum()
    assert 10 * np.log10(signal / noise) > 22
