"""The ops of tests/out_of_tree/smalti_gates go from nodes of their domain to the simulator, in integers and floats."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from onnx.numpy_helper import from_array
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

HERE = Path(__file__).resolve().parents[1] / "out_of_tree"
FLOAT = onnx.TensorProto.FLOAT
SHIFT = 2


class LeakyClamp(OpRun):
    """What the node means, for ONNX's reference implementation."""

    op_domain = "com.me"

    def _run(self, x, low, high, shift=None):
        low, high = (each.reshape(-1, *(1,) * (x.ndim - 2)) for each in (low, high))
        inside = np.clip(x, low, high)
        return (inside + (x - inside) / np.float32(2**shift),)


class RowScale(OpRun):
    """What the node means, for ONNX's reference implementation."""

    op_domain = "com.me"

    def _run(self, x):
        return (x / np.abs(x).max(axis=-1, keepdims=True),)


def leaky(x: str, y: str) -> onnx.NodeProto:
    """y = LeakyClamp(x)."""
    names = [x, f"{y}_low", f"{y}_high"]
    return oh.make_node("LeakyClamp", names, [y], f"leaky_{y}", domain="com.me", shift=SHIFT)


def rows(x: str, y: str) -> onnx.NodeProto:
    """y = RowScale(x)."""
    return oh.make_node("RowScale", [x], [y], f"rows_{y}", domain="com.me")


def weight(name: str, *shape: int) -> onnx.TensorProto:
    """Weights that keep the size of what they multiply."""
    numbers = np.random.default_rng(len(name)).normal(size=shape) / np.sqrt(np.prod(shape[1:]))
    return from_array(numbers.astype(np.float32), name)


def bounds(y: str, channels: int) -> list[onnx.TensorProto]:
    """The bounds of `leaky`, which cut off much."""
    generator = np.random.default_rng(channels)
    low, high = generator.uniform(0.2, 1.2, (2, channels)).astype(np.float32)
    return [from_array(-low, f"{y}_low"), from_array(high, f"{y}_high")]


@dataclass
class Case:
    """A network of input x and output y, and how far INT8 may be off, in steps of the output or as a ratio."""

    nodes: list[onnx.NodeProto]
    weights: list[onnx.TensorProto]
    shape: list[int]
    output: list[int]
    steps: float | None = None
    least_decibels: float = 0.0


CASES = {
    # Inputs and outputs are dense and in ONNX's order, so that the copies change the layout. Half a step is that of the
    # input, half a step that of what is beyond a bound.
    "image": Case([leaky("x", "y")], bounds("y", 20), [1, 20, 9, 7], [1, 20, 9, 7], steps=1.0),
    "vector": Case([leaky("x", "y")], bounds("y", 37), [6, 37], [6, 37], steps=1.0),
    "row": Case([rows("x", "y")], [], [3, 5, 40], [3, 5, 40], least_decibels=100),
    # The result of row_scale becomes integers with the scale that the op fixes.
    "rows of integers": Case(
        [rows("x", "s"), leaky("s", "y")], bounds("y", 5), [3, 5, 40], [3, 5, 40], steps=1.0
    ),
    "network": Case(
        [
            oh.make_node("Conv", ["x", "w"], ["a"], "conv", pads=[1, 1, 1, 1]),
            leaky("a", "b"),
            oh.make_node("MaxPool", ["b"], ["c"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
            oh.make_node("Conv", ["c", "ww"], ["d"], "conv2"),
            oh.make_node("Reshape", ["d", "shape"], ["e"], "reshape"),
            rows("e", "f"),
            oh.make_node("MatMul", ["f", "www"], ["y"], "product"),
        ],
        [
            weight("w", 40, 5, 3, 3),
            *bounds("b", 40),
            weight("ww", 8, 40, 1, 1),
            from_array(np.array([2, 8, 30]), "shape"),
            weight("www", 30, 17),
        ],
        [2, 5, 12, 10],
        [2, 8, 17],
        least_decibels=28,
    ),
}
LEVELS = ("tpu.mlir", "tile.mlir", "isa.mlir", "smalti")
COMMANDS = """import shlex, sys
from smalti.tools.main import main
sys.exit(max(main(shlex.split(line)) for line in sys.stdin))
"""


def python(folder: Path, *words: str, lines: str = "") -> str:
    """Runs Python in a process of its own, whose tables of ops may have a plugin's; what it prints."""
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, input=lines, text=True, check=False, timeout=600,
        env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A network, its folder with model and inputs, and the outputs that ONNX's reference implementation gives."""
    case = CASES[request.param]
    folder = tmp_path_factory.mktemp("network")
    ports = [
        oh.make_tensor_value_info(name, FLOAT, shape)
        for name, shape in (("x", case.shape), ("y", case.output))
    ]
    graph = oh.make_graph(case.nodes, "own", ports[:1], ports[1:], case.weights)
    sets = [oh.make_opsetid("", 17), oh.make_opsetid("com.me", 1)]
    model = oh.make_model(graph, opset_imports=sets, ir_version=8)
    onnx.save(model, folder / "m.onnx")
    samples = np.random.default_rng(7).normal(size=(4, *case.shape)).astype(np.float32)
    np.savez(folder / "x.npz", x=samples.reshape(-1, *case.shape[1:]))
    reference = ReferenceEvaluator(model, new_ops=[LeakyClamp, RowScale])
    expected = np.concatenate([reference.run(None, {"x": x})[0] for x in samples])
    return case, folder, expected


def outputs(folder: Path, target: str, quantize: str) -> dict[str, np.ndarray]:
    """Compiles a network and runs it at each level below top."""
    calibration = "--calibration x.npz" if quantize == "int8" else ""
    emit = "--emit tpu,tile,isa,program -o m.smalti"
    commands = [f"compile m.onnx --quantize {quantize} {calibration} --target {target} {emit}"]
    commands += [f"run m.{level} --inputs x.npz --outputs {level}.npz" for level in LEVELS]
    commands += ["run m.smalti --inputs x.npz --mode both --sanitize"]
    lines = "".join(f"{command} --load-plugin smalti_gates\n" for command in commands)
    python(folder, "-c", COMMANDS, lines=lines)
    return {level: np.load(folder / f"{level}.npz")["y"] for level in LEVELS}


@pytest.mark.parametrize("target", ["edge-1c", "default-8c"])
def test_integers_are_equal_at_every_level_and_near_the_reference(case, target: str):
    network, folder, expected = case
    found = outputs(folder, target, "int8")
    for level in LEVELS[1:]:
        np.testing.assert_array_equal(found[level], found["tpu.mlir"], level)
    difference = np.abs(found["smalti"] - expected)
    if network.steps is not None:
        values = np.unique(found["smalti"])
        step = np.diff(values).min()
        assert len(values) <= 256 and difference.max() <= network.steps * step * 1.001
    else:
        noise = max(float(np.square(difference).sum()), 1e-30)
        assert 10 * np.log10(np.square(expected).sum() / noise) > network.least_decibels


@pytest.mark.share(3)
def test_floats_round_once(case):
    _, folder, expected = case
    found = outputs(folder, "default-8c", "f16")
    for level in LEVELS:
        np.testing.assert_allclose(found[level], expected, rtol=0.03, atol=0.03, err_msg=level)


def test_golden_tests_of_each_level():
    assert " passed" in python(HERE.parents[1], "-m", "pytest", "-q", str(HERE / "golden_tests.py"))
