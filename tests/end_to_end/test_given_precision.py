"""Ops between a dequantization and a quantization of the model, of 8 and 16 bits: f32 and INT8, without any
calibration, equal ONNX Runtime to within one step, however many ops of tpu they become.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler import compile_model, import_model

from tests.commit_seed import share_of_commit

RNG = np.random.default_rng(7)
SLOW = pytest.mark.slow


def floats(*shape: int, low: float = -1.0) -> np.ndarray:
    return RNG.uniform(low, 1, shape).astype(np.float32)


@dataclass(frozen=True)
class Activation:
    """A dequantized input with values of both signs, or, if it is `positive`, between 0.1 and 1."""

    shape: tuple[int, ...]
    positive: bool = False


@dataclass(frozen=True)
class Weight:
    """A dequantized constant of i8."""

    shape: tuple[int, ...]


@dataclass(frozen=True)
class Case:
    op: str
    operands: tuple[Activation | Weight | np.ndarray | None, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


def case(op: str, *operands: Any, **attributes: Any) -> Case:
    """A tuple is the shape of an activation, an array a constant in floats."""
    given = tuple(Activation(each) if isinstance(each, tuple) else each for each in operands)
    return Case(op, given, attributes)


THREE, IMAGE, VOLUME = (2, 3, 4), (1, 3, 6, 6), (1, 2, 4, 4, 4)
POSITIVE = Activation(THREE, positive=True)
SCALES = np.array([1, 1, 2, 2], np.float32)
CASES = {
    "conv1d": case("Conv", (1, 3, 9), Weight((4, 3, 3))),
    "conv2d": case("Conv", IMAGE, Weight((4, 3, 3, 3)), floats(4), pads=[1, 1, 1, 1]),
    "conv3d": case("Conv", VOLUME, Weight((3, 2, 2, 2, 2))),
    "conv of float weights": case("Conv", IMAGE, floats(4, 3, 3, 3)),
    "conv of weights of run time": case("Conv", IMAGE, (4, 3, 3, 3)),
    "conv transpose": case("ConvTranspose", (1, 3, 4, 4), Weight((3, 2, 3, 3)), strides=[2, 2]),
    "matmul": case("MatMul", (2, 3, 6), Weight((6, 5))),
    "matmul of activations": case("MatMul", (2, 3, 6), (2, 6, 5)),
    "gemm": case("Gemm", (3, 6), Weight((6, 5)), floats(5), alpha=0.5, beta=2.0),
    "einsum": case("Einsum", (2, 3, 4), (2, 4, 5), equation="bij,bjk->bik"),
    "average pool 1d": case("AveragePool", (1, 3, 8), kernel_shape=[2]),
    "average pool 2d": case("AveragePool", IMAGE, kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "average pool 3d": case("AveragePool", VOLUME, kernel_shape=[2, 2, 2]),
    "max pool 3d": case("MaxPool", VOLUME, kernel_shape=[2, 2, 2]),
    "global average pool 3d": case("GlobalAveragePool", VOLUME),
    "lp pool": case("LpPool", IMAGE, kernel_shape=[2, 2]),
    "batch normalization": case(
        "BatchNormalization", IMAGE, floats(3, low=0.5), floats(3), floats(3), floats(3, low=0.5)
    ),
    "layer normalization": case("LayerNormalization", (2, 3, 8), floats(8), floats(8)),
    "instance normalization": case("InstanceNormalization", IMAGE, floats(3), floats(3)),
    "local response": case("LRN", (1, 6, 4, 4), size=3),
    "mean": case("Mean", THREE, THREE, THREE),
    "sum": case("Sum", THREE, THREE, THREE),
    "max": case("Max", THREE, THREE, THREE),
    "min": case("Min", THREE, THREE),
    "add": case("Add", THREE, (1, 3, 1)),
    "add a constant": case("Add", THREE, floats(3, 1)),
    "sub": case("Sub", THREE, THREE),
    "mul": case("Mul", THREE, THREE),
    "div": case("Div", THREE, POSITIVE),
    "div by a constant": case("Div", THREE, floats(3, 1, low=0.5)),
    "pow": case("Pow", THREE, np.float32(2)),
    "concat": case("Concat", THREE, (2, 2, 4), axis=1),
    "softmax": case("Softmax", THREE, axis=-1),
    "gelu": case("Gelu", THREE),
    "sigmoid": case("Sigmoid", THREE),
    "mish": case("Mish", THREE),
    "hard swish": case("HardSwish", THREE),
    "prelu": case("PRelu", THREE, floats(3, 1)),
    "clip": case("Clip", THREE, np.float32(-0.3), np.float32(0.6)),
    "relu": case("Relu", THREE),
    "log": case("Log", POSITIVE),
    "sqrt": case("Sqrt", POSITIVE),
    "reciprocal": case("Reciprocal", POSITIVE),
    "reduce mean": case("ReduceMean", THREE, np.array([1])),
    "reduce sum": case("ReduceSum", THREE, np.array([1, 2])),
    "reduce l2": case("ReduceL2", THREE, np.array([1])),
    "resize": case("Resize", (1, 2, 4, 4), None, SCALES, mode="linear"),
    "pad": case("Pad", THREE, np.array([0, 1, 0, 0, 1, 1])),
    "transpose": case("Transpose", THREE, perm=[2, 0, 1]),
    "where": case("Where", RNG.random(THREE) > 0.5, THREE, THREE),
    "cumulative sum, of the host": case("CumSum", THREE, np.array(1)),
}


@dataclass(frozen=True)
class Network:
    """All cases side by side; the output of each has its name."""

    model: onnx.ModelProto
    inputs: dict[str, np.ndarray]


class Builder:
    """Builds the network of all cases with activations of one storage type."""

    def __init__(self, storage: str) -> None:
        self.dtype = np.dtype(storage)
        self.info = np.iinfo(self.dtype)
        self.steps = 2.0**self.info.bits
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.inputs: dict[str, np.ndarray] = {}

    def model(self, outputs: Mapping[str, type[np.generic]]) -> onnx.ModelProto:
        def declared(name: str, dtype: Any, shape: Any) -> onnx.ValueInfoProto:
            number = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
            return helper.make_tensor_value_info(name, number, shape)

        graph = helper.make_graph(
            self.nodes,
            "given",
            [declared(name, x.dtype, x.shape) for name, x in self.inputs.items()],
            [declared(name, dtype, None) for name, dtype in outputs.items()],
            [numpy_helper.from_array(np.asarray(x), name) for name, x in self.constants.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)

    def operand(self, name: str, given: Activation | Weight | np.ndarray | None) -> str:
        if given is None:
            return ""
        if isinstance(given, Weight):
            self.constants |= {
                f"{name}.w": RNG.integers(-60, 60, given.shape).astype(np.int8),
                f"{name}.s": np.asarray(0.01, np.float32),
            }  # fmt: skip
            self._node("DequantizeLinear", [f"{name}.w", f"{name}.s"], name)
        elif isinstance(given, Activation):
            step = 2.2 / self.steps * RNG.uniform(1, 1.4)
            middle = (int(self.info.min) + int(self.info.max) + 1) // 2 + int(self.steps / 100)
            low = middle + int(self.steps / 10) if given.positive else int(self.info.min)
            self.inputs[f"{name}.q"] = RNG.integers(
                low, int(self.info.max) + 1, given.shape
            ).astype(self.dtype)
            self.constants |= {
                f"{name}.s": np.asarray(step, np.float32), f"{name}.z": np.asarray(middle, self.dtype)
            }  # fmt: skip
            self._node("DequantizeLinear", [f"{name}.q", f"{name}.s", f"{name}.z"], name)
        else:
            self.constants[name] = given
        return name

    def quantize(self, name: str, real: np.ndarray) -> None:
        """Quantize the result of a case, whose floats are `real`: some of them saturate."""
        low, high = min(float(real.min()), 0.0) * 0.9, max(float(real.max()), 0.0) * 0.9
        step = np.asarray((high - low) / (self.steps - 1), np.float32)
        point = np.clip(np.rint(int(self.info.min) - low / step), self.info.min, self.info.max)
        self.constants |= {f"{name}.s": step, f"{name}.z": np.asarray(point).astype(self.dtype)}
        self._node("QuantizeLinear", [f"{name}.floats", f"{name}.s", f"{name}.z"], name)

    def _node(self, op: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))

    def add(self, name: str, case: Case) -> None:
        operands = [self.operand(f"{name} {i}", each) for i, each in enumerate(case.operands)]
        self._node(case.op, operands, f"{name}.floats", **case.attributes)


@cache
def network(storage: str) -> Network:
    builder = Builder(storage)
    for name, each in CASES.items():
        builder.add(name, each)
    model = builder.model({f"{name}.floats": np.float32 for name in CASES})
    reals = run_onnx(model, builder.inputs, intermediates=True)
    for name in CASES:
        builder.quantize(name, reals[f"{name}.floats"])
    return Network(builder.model(dict.fromkeys(CASES, builder.dtype.type)), builder.inputs)


@cache
def wanted(storage: str) -> Mapping[str, np.ndarray]:
    """The integers of ONNX Runtime, whose optimizations are off: some quantize activations of 16 bits to 8."""
    given = network(storage)
    return run_onnx(given.model, given.inputs, intermediates=True)


def check(found: Mapping[str, np.ndarray], storage: str) -> None:
    steps: dict[str, int] = {}
    for name in CASES:
        expected = wanted(storage)[name]
        assert found[name].dtype == expected.dtype
        error = np.abs(found[name].astype(np.int64) - expected.astype(np.int64))
        steps[name] = int(error.max())
    assert {name: most for name, most in steps.items() if most > 1} == {}


STORAGES = ("i1", "u1", "i2", "u2")
FORMATS: tuple[Literal["f32", "int8"], ...] = ("int8", "f32")


@pytest.mark.share(4)
@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("quantize", FORMATS)
def test_ops_equal_those_of_onnxruntime(storage: str, quantize: Literal["f32", "int8"]):
    given = network(storage)
    check(compile_model(given.model, quantize=quantize).run(given.inputs), storage)


@pytest.mark.parametrize("storage", ["i1", "u1", "i2", pytest.param("u2", marks=SLOW)])
def test_ops_at_top(storage: str):
    given = network(storage)
    check(import_model(given.model).run(given.inputs), storage)


@pytest.mark.slow
@pytest.mark.parametrize("storage", share_of_commit(("u1", "i2"), 2))
def test_calibration_changes_nothing(storage: str):
    given = network(storage)
    found = compile_model(given.model, quantize="int8", calibration=given.inputs)
    check(found.run(given.inputs), storage)
