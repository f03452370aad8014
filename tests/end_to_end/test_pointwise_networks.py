"""Element-wise ops on the whole path: each against ONNX Runtime, in f32 and INT8, on every level."""

import numpy as np
import onnx
import pytest
from onnx import helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions

from tests.unit.compiler.onnx_import.onnx_models import imported, model_of, ops_of

from .test_random_networks import Arrays, close, levels, same

DOMAIN = {
    "Acosh": (1, 5), "Log": (0.1, 5), "Sqrt": (0.01, 5), "Asin": (-0.9, 0.9), "Acos": (-0.9, 0.9),
    "Atanh": (-0.9, 0.9), "Reciprocal": (0.2, 3), "Tan": (-1, 1),
}  # fmt: skip
FUNCTIONS = (
    "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Celu", "Cos", "Cosh", "Elu", "Erf", "Exp",
    "Floor", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Log", "Mish", "Neg", "Reciprocal", "Round", "Selu",
    "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu",
)  # fmt: skip
STEPS = ("Ceil", "Floor", "Round", "Sign", "Shrink", "ThresholdedRelu")
"""Functions that jump: there the nearest step of the input's quantization may lie on the other side."""


def uniform(low: float, high: float, *shape: int) -> np.ndarray:
    """Numbers between two bounds, always the same."""
    return np.random.default_rng(5).uniform(low, high, shape).astype(np.float32)


def check(
    model: onnx.ModelProto, inputs: Arrays, tolerance: float | None, target="edge-1c"
) -> None:
    """Every level, in f32 and INT8 (within `tolerance` of the range; None: only the levels agree)."""
    expected = run_onnx(model, inputs)
    results = levels(model, CompileOptions(target, None, "f32"), inputs)
    for result, what in zip(results, ("tpu", "tile", "program"), strict=True):
        close(result, expected, 2e-6, what)
    same(results[2], results[1], "program against tile")
    tpu, tile, program = levels(model, CompileOptions(target, None, "int8", inputs), inputs)
    same(tile, tpu, "tile interpreter against tpu")
    same(program, tpu, "program against tpu")
    if tolerance is not None:
        close(program, expected, tolerance, "int8")


@pytest.mark.parametrize("op", FUNCTIONS)
def test_function_between_transposes(op: str):
    """The product gives 8 bits, and the transpose keeps them: so INT8 looks the function up."""
    low, high = DOMAIN.get(op, (-3, 3))
    nodes = [
        helper.make_node("MatMul", ["x", "same"], ["p"]),
        helper.make_node("Transpose", ["p"], ["t"], perm=[0, 2, 1]),
        helper.make_node(op, ["t"], ["f"]),
        helper.make_node("Transpose", ["f"], ["y"], perm=[0, 2, 1]),
    ]
    x = uniform(low, high, 1, 7, 9)
    constants = {"same": np.eye(9, dtype=np.float32)}
    model = model_of(nodes, {"x": x.shape}, constants=constants, opset=20)
    # An error of half a step of the input, times the slope, and half a step of the output.
    tolerance = None if op in STEPS else 0.06 if op in ("Acosh", "Reciprocal", "Log") else 0.03
    check(model, {"x": x}, tolerance)
    compilation = start_from_model(model, CompileOptions("edge-1c", None, "int8", {"x": x}))
    compilation.lower_to("tpu")
    names = [each.name for each in compilation.module.walk()]
    assert "tpu.lookup" in names
    assert "tpu.unary" not in names


BINARY = [
    ("Add", (5, 1)), ("Sub", (5, 1)), ("Mul", ()), ("Div", (3, 1, 1)), ("Min", (5, 4)),
    ("Max", (3, 1, 4)), ("PRelu", (3, 1, 1)), ("PRelu", (1,)), ("Pow", (3, 1, 1)), ("Mod", (5, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("op", "shape"), BINARY)
@pytest.mark.parametrize("constant", [True, False])
def test_arithmetic_with_broadcasting(op: str, shape: tuple[int, ...], constant: bool):
    x = uniform(0.5, 3, 2, 3, 5, 4) if op == "Pow" else uniform(-3, 3, 2, 3, 5, 4)
    c = np.abs(np.random.default_rng(1).normal(size=shape)).astype(np.float32) + np.float32(0.5)
    attributes = {"fmod": 1} if op == "Mod" else {}
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 1, 3, 2]),
        helper.make_node("Transpose", ["t"], ["u"], perm=[0, 1, 3, 2]),
        helper.make_node(op, ["u", "c"], ["y"], **attributes),
    ]
    inputs = {"x": x} if constant else {"x": x, "c": c}
    shapes = {name: value.shape for name, value in inputs.items()}
    model = model_of(nodes, shapes, constants={"c": c} if constant else {})
    check(model, inputs, None if op == "Mod" else 0.03)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("op", ["Sum", "Mean", "Min", "Max"])
def test_any_number_of_operands(op: str, count: int):
    constants = {
        f"c{i}": np.random.default_rng(i).normal(size=(3, 1)).astype(np.float32)
        for i in range(count - 1)
    }
    node = helper.make_node(op, ["x", *constants], ["y"])
    x = uniform(-2, 2, 2, 3, 4)
    check(model_of([node], {"x": x.shape}, constants=constants), {"x": x}, 0.03)


@pytest.mark.parametrize("op", ["Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"])
def test_comparison_that_is_an_output(op: str):
    x, c = np.round(uniform(-3, 3, 2, 5, 4)), np.float32([[-1], [0], [1], [2], [3]])
    model = model_of(
        [helper.make_node(op, ["x", "c"], ["y"])], {"x": x.shape}, ["y"], {"c": c}, bools=["y"]
    )
    expected = run_onnx(model, {"x": x})
    for quantize in ("f32", "int8"):
        results = levels(model, CompileOptions("edge-1c", None, quantize, {"x": x}), {"x": x})
        for result in results:
            same(result, expected, quantize)


def test_masks():
    """Comparisons, logic and a choice, with bools as an input and inside."""
    nodes = [
        helper.make_node("Less", ["x", "low"], ["a"]),
        helper.make_node("Greater", ["x", "high"], ["b"]),
        helper.make_node("Or", ["a", "b"], ["outside"]),
        helper.make_node("Xor", ["outside", "m"], ["d"]),
        helper.make_node("Not", ["d"], ["e"]),
        helper.make_node("And", ["e", "m"], ["mask"]),
        helper.make_node("Where", ["mask", "x", "low"], ["y"]),
    ]
    constants = {"low": np.float32(-0.5), "high": np.float32([[0.5], [1.0], [1.5]])}
    x = uniform(-3, 3, 2, 3, 4)
    inputs = {"x": x, "m": np.random.default_rng(0).random((2, 1, 4)) < 0.5}
    shapes = {name: value.shape for name, value in inputs.items()}
    model = model_of(nodes, shapes, ["y", "mask"], constants, bools=["m", "mask"])
    expected = run_onnx(model, inputs)
    for result in levels(model, CompileOptions("default-8c", None, "f32"), inputs):
        same(result, expected, "f32")
    tpu, tile, program = levels(model, CompileOptions("default-8c", None, "int8", inputs), inputs)
    same(tile, tpu, "tile")
    same(program, tpu, "program")
    same({"mask": program["mask"]}, {"mask": expected["mask"]}, "mask")
    close({"y": program["y"]}, {"y": expected["y"]}, 0.01, "int8")


def test_tests_for_nan_and_infinity():
    nodes = [
        helper.make_node("Log", ["x"], ["l"]),
        helper.make_node("IsNaN", ["l"], ["nan"]),
        helper.make_node("IsInf", ["l"], ["inf"], detect_positive=0),
    ]
    model = model_of(nodes, {"x": (2, 3)}, ["nan", "inf"], bools=["nan", "inf"], opset=20)
    x = np.float32([[-1, 0, 1], [2, -0.0, np.nan]])
    expected = run_onnx(model, {"x": x})
    for result in levels(model, CompileOptions("edge-1c", None, "f32"), {"x": x}):
        same(result, expected, "f32")


def test_one_number_makes_simpler_ops():
    cases = {
        ("Max", 0.5): "top.clip", ("Min", 0.5): "top.clip", ("PRelu", 0.25): "top.unary",
        ("Pow", 2.0): "top.mul", ("Pow", 0.5): "top.unary", ("Pow", 3.0): "top.unary",
    }  # fmt: skip
    for (op, number), name in cases.items():
        node = helper.make_node(op, ["x", "c"], ["y"])
        module, _ = imported(model_of([node], {"x": (2, 3)}, constants={"c": np.float32([number])}))
        assert [each.name for each in ops_of(module)] == [name], op
