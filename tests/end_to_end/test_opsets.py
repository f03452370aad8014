"""Every version of the common ops in the opsets 7 to 22 on the whole path, against ONNX Runtime.

The versions are those that the `onnx` package's schemas name, a case says how an op is written in each.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler.compilation.compile_options import CompileOptions

from tests.unit.compiler.onnx_import.onnx_models import model_of

from .test_random_networks import close, levels, same

OLDEST, NEWEST = 7, 22
Written = tuple[dict[str, np.ndarray], dict[str, Any]]
"""The constant operands by name, in order, and the attributes of a node."""


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def floats(*shape: int, low: float = -1, high: float = 1) -> np.ndarray:
    return np.random.default_rng(3).uniform(low, high, shape).astype(np.float32)


def number(value: float) -> np.ndarray:
    return np.array(value, np.float32)


@dataclass(frozen=True)
class Case:
    """A node on `x` of a shape, its numbers from `low` to `high`.

    `write(opset)` gives its constants and attributes. `operands` is how many activations it reads, each `x` by another
    path; `results` how many it has; `since` the first opset in which ONNX Runtime takes it for floats. `tolerance`: of
    INT8, as a part of the range.
    """

    write: Callable[[int], Written] = lambda opset: ({}, {})
    shape: tuple[int, ...] = (2, 4, 6, 5)
    low: float = -3
    high: float = 3
    operands: int = 1
    results: int = 1
    since: int = OLDEST
    tolerance: float = 0.03
    attributes: dict[str, Any] = field(default_factory=dict)

    def written(self, opset: int) -> Written:
        constants, attributes = self.write(opset)
        return constants, {**self.attributes, **attributes}


def listed(first: int, name: str, *values: int, **attributes: Any) -> Callable[[int], Written]:
    """A list that is an attribute before an opset, and an operand from it on."""
    return lambda opset: (
        ({}, {name: list(values), **attributes})
        if opset < first
        else ({name: ints(*values)}, attributes)
    )


def pool(opset: int, dilations_since: int) -> Written:
    attributes: dict[str, Any] = {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1]}
    if opset >= 10:
        attributes["ceil_mode"] = 1
    if opset >= dilations_since:
        attributes["dilations"] = [1, 2]
    return {}, attributes


def average_pool(opset: int) -> Written:
    constants, attributes = pool(opset, 19)
    return constants, {**attributes, "count_include_pad": 1}


def slice_(opset: int) -> Written:
    if opset < 10:
        return {}, {"starts": [1, -4], "ends": [3, 100], "axes": [1, 2]}
    steps = {
        "starts": ints(1, -1),
        "ends": ints(3, -100),
        "axes": ints(1, -2),
        "steps": ints(1, -2),
    }
    return steps, {}


def clip(opset: int) -> Written:
    if opset < 11:
        return {}, {"min": -1.5, "max": 2.0}
    return {"min": number(-1.5), "max": number(2)}, {}


def dropout(opset: int) -> Written:
    return ({}, {"ratio": 0.3}) if opset < 12 else ({"ratio": number(0.3)}, {})


def pad(opset: int) -> Written:
    pads = [0, 0, 1, 2, 0, 1, 0, 1]
    if opset < 11:
        return {}, {"pads": pads, "value": 0.5}
    return {"pads": ints(*pads), "value": number(0.5)}, {}


def split(opset: int) -> Written:
    if opset < 13:
        return {}, {"axis": 1, "split": [1, 3]}
    return (
        ({"split": ints(1, 3)}, {"axis": 1}) if opset < 18 else ({}, {"axis": 2, "num_outputs": 2})
    )


def upsample(opset: int) -> Written:
    if opset < 9:
        return {}, {"scales": [1.0, 1.0, 2.0, 2.0]}
    return {"scales": np.array([1, 1, 2, 2], np.float32)}, {}


def resize(opset: int) -> Written:
    scales = np.array([1, 1, 2, 2], np.float32)
    if opset < 11:
        return {"scales": scales}, {"mode": "linear"}
    return {"roi": floats(0), "scales": scales}, {"mode": "linear"}


def batch_norm(opset: int) -> Written:
    variance = floats(4, low=0.5, high=2)
    return {"s": floats(4), "b": floats(4), "m": floats(4), "v": variance}, {}


def constants_of(**constants: np.ndarray) -> Callable[[int], Written]:
    return lambda opset: (constants, {})


def with_attributes(**attributes: Any) -> Case:
    return Case(attributes=attributes)


POSITIVE = {"low": 0.3, "high": 3.0}
ROW = {"c": floats(4, 1, 1, low=0.5, high=2)}
CASES: dict[str, Case] = {
    "LRN": with_attributes(size=3, alpha=0.1, beta=0.75, bias=1.0),
    "AveragePool": Case(average_pool),
    "MaxPool": Case(lambda opset: pool(opset, 10)),
    "GlobalAveragePool": Case(),
    "GlobalMaxPool": Case(),
    "Relu": Case(),
    "LeakyRelu": with_attributes(alpha=0.2),
    "PRelu": Case(constants_of(slope=floats(4, 1, 1))),
    "Sigmoid": Case(), "Tanh": Case(), "Erf": Case(since=9), "HardSwish": Case(since=14),
    "HardSigmoid": with_attributes(alpha=0.3, beta=0.4), "Gelu": Case(since=20), "Elu": Case(), "Selu": Case(),
    "Softplus": Case(), "Softsign": Case(), "Abs": Case(), "Neg": Case(),
    "Exp": Case(), "Log": Case(**POSITIVE), "Sqrt": Case(**POSITIVE), "Reciprocal": Case(**POSITIVE),
    "Pow": Case(constants_of(exponent=number(1.5)), **POSITIVE),
    "Clip": Case(clip),
    "Add": Case(constants_of(**ROW)), "Sub": Case(constants_of(**ROW)), "Mul": Case(constants_of(**ROW)),
    "Div": Case(constants_of(**ROW)),
    "Min": Case(constants_of(**ROW), since=8), "Max": Case(constants_of(**ROW), since=8),
    "Sum": Case(constants_of(**ROW), operands=2, since=8), "Mean": Case(constants_of(**ROW), operands=2, since=8),
    "Concat": Case(operands=2, attributes={"axis": 1}),
    "Split": Case(split, results=2),
    "Slice": Case(slice_),
    "Gather": Case(constants_of(indices=ints(2, 0, 3)), attributes={"axis": 1}),
    "Squeeze": Case(listed(13, "axes", 0, 2), shape=(1, 4, 1, 5)),
    "Unsqueeze": Case(listed(13, "axes", 0, 3), shape=(4, 6, 5)),
    "Transpose": with_attributes(perm=[0, 2, 3, 1]),
    "Reshape": Case(constants_of(shape=ints(0, -1, 5))),
    "Flatten": with_attributes(axis=2),
    "Expand": Case(constants_of(shape=ints(2, 4, 6, 3)), shape=(4, 1, 3), since=8),
    "Tile": Case(constants_of(repeats=ints(1, 2, 1, 2))),
    "Pad": Case(pad),
    "Upsample": Case(upsample), "Resize": Case(resize, since=10),
    "DepthToSpace": with_attributes(blocksize=2), "SpaceToDepth": Case(shape=(2, 3, 4, 6), attributes={"blocksize": 2}),
    "Softmax": Case(attributes={"axis": 1}), "LogSoftmax": Case(attributes={"axis": 1}),
    "ReduceSum": Case(listed(13, "axes", 1, 3, keepdims=0)),
    "ReduceProd": Case(listed(18, "axes", 3), low=0.5, high=1.5),
    **{
        name: Case(listed(18, "axes", 1, 3, keepdims=0), **POSITIVE)
        for name in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceLogSum",
                     "ReduceLogSumExp", "ReduceSumSquare")
    },
    "LayerNormalization": Case(constants_of(s=floats(5), b=floats(5)), since=17),
    "BatchNormalization": Case(batch_norm),
    "InstanceNormalization": Case(constants_of(s=floats(4), b=floats(4))),
    "MatMul": Case(operands=2, shape=(2, 3, 5, 5)),
    "Gemm": Case(constants_of(b=floats(6, 7), c=floats(7)), shape=(5, 6)),
    "Conv": Case(constants_of(w=floats(3, 4, 3, 3), b=floats(3))),
    "Dropout": Case(dropout), "Identity": Case(),
}  # fmt: skip


def versions(op: str, since: int) -> list[int]:
    """The opsets in which a version of an op came, and the first, which has an older one."""
    domain = [schema for schema in onnx.defs.get_all_schemas_with_history() if schema.name == op]
    began = {schema.since_version for schema in domain if schema.domain == ""}
    gone = {schema.since_version for schema in domain if schema.deprecated}
    inside = {version for version in began if since <= version <= NEWEST}
    return sorted((inside | {since}) - gone)


VERSIONS = [(op, opset) for op, case in CASES.items() for opset in versions(op, case.since)]


def check(model: onnx.ModelProto, inputs: dict[str, np.ndarray], tolerance: float) -> None:
    """On all levels: f32 within rounding of ONNX Runtime, INT8 within a tolerance and equal among the levels."""
    expected = run_onnx(model, inputs)
    for result in levels(model, CompileOptions("edge-1c", None, "f32"), inputs):
        close(result, expected, 3e-6, "f32")
    tpu, tile, program = levels(model, CompileOptions("edge-1c", None, "int8", inputs), inputs)
    same(tile, tpu, "tile interpreter against tpu")
    same(program, tpu, "program against tpu")
    close(program, expected, tolerance, "int8")


@pytest.mark.parametrize(("op", "opset"), VERSIONS, ids=[f"{op}-{v}" for op, v in VERSIONS])
def test_version(op: str, opset: int):
    case = CASES[op]
    constants, attributes = case.written(opset)
    # A second activation that is no copy of the first.
    nodes = [helper.make_node("Neg", ["x"], ["z"])] if case.operands == 2 else []
    outputs = [f"y{index}" for index in range(case.results)]
    activations = ["x", "z"][: case.operands]
    nodes.append(helper.make_node(op, [*activations, *constants], outputs, **attributes))
    model = model_of(nodes, {"x": case.shape}, outputs, constants, opset=opset)
    check(model, {"x": floats(*case.shape, low=case.low, high=case.high)}, case.tolerance)


@pytest.mark.parametrize("opset", [7, 9, 13, 19, 21])
def test_casts_to_bool_and_back(opset: int):
    """What is not 0 is true, and true is 1; as a mask that hides numbers is made."""
    nodes = [
        helper.make_node("Cast", ["x"], ["b"], to=TensorProto.BOOL),
        helper.make_node("Not", ["b"], ["n"]),
        helper.make_node("Cast", ["n"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["f", "c"], ["m"]),
        helper.make_node("Add", ["x", "m"], ["y"]),
    ]
    x = np.maximum(floats(2, 4, 6, low=-3, high=3), 0)
    constants = {"c": number(-2)}
    check(model_of(nodes, {"x": x.shape}, constants=constants, opset=opset), {"x": x}, 0.03)


# Equal takes floats from opset 11 on.
COMPARISONS = [
    ("Less", 9), ("Less", 13), ("Less", 16), ("Greater", 9), ("Greater", 13), ("Equal", 11), ("Equal", 13),
    ("Equal", 19), ("LessOrEqual", 12), ("LessOrEqual", 16), ("GreaterOrEqual", 12), ("GreaterOrEqual", 16),
]  # fmt: skip


@pytest.mark.parametrize(("op", "opset"), COMPARISONS)
def test_comparison_and_where(op: str, opset: int):
    nodes = [
        helper.make_node(op, ["x", "c"], ["mask"]),
        helper.make_node("Not", ["mask"], ["other"]),
        helper.make_node("Where", ["other", "x", "d"], ["y"]),
    ]
    # The extremes give INT8 steps of 1/32, of which all numbers are multiples.
    x = np.round(floats(2, 4, 6, low=-3, high=3) * 4) / 4
    x[0, 0, :2] = -4, 3.96875
    constants = {"c": number(0.5), "d": np.array([[2], [1], [-1], [0]], np.float32)}
    check(model_of(nodes, {"x": x.shape}, constants=constants, opset=opset), {"x": x}, 0.03)
