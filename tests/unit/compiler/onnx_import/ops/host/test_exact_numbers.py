"""Arithmetic of f64, integers and bools, which the host computes, against ONNX Runtime and NumPy."""

from typing import Any

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.numerics.unary import UNARY_KINDS

from tests.unit.compiler.onnx_import.onnx_models import imported, run_imported
from tests.unit.compiler.onnx_import.ops.host.nodes import RNG, check, node_model, normal

F64 = np.float64
EXACT = {"rtol": 1e-13, "atol": 1e-14}
"""What f32 is far from."""


@pytest.mark.parametrize(
    "op",
    [
        "Exp", "Log", "Sqrt", "Erf", "Sigmoid", "Tanh", "Sin", "Cos", "Tan", "Abs", "Neg", "Sign", "Floor",
        "Ceil", "Round", "Reciprocal", "Softplus", "Softsign", "HardSigmoid", "Elu", "IsNaN", "IsInf", "Relu",
    ],
)  # fmt: skip
def test_functions_of_f64(op: str):
    """Softplus of ONNX Runtime loses digits of small results."""
    x = np.abs(normal(3, 4, dtype=F64)) if op in ("Log", "Sqrt") else 3 * normal(3, 4, dtype=F64)
    model = node_model(op, {"x": x}, opset=20)
    try:
        check(op, {"x": x}, opset=20, compiled=op == "Exp", **EXACT)
    except DiagnosticError:  # ONNX Runtime has no such function of f64
        imported(model)
        kind = UNARY_KINDS[{"HardSigmoid": "hard_sigmoid"}.get(op, op.lower())]
        expected = kind.compute(x, 0.2 if op == "HardSigmoid" else 1.0, 0.5)
        np.testing.assert_allclose(run_imported(model, {"x": x})["y"], expected, **EXACT)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, F64])
@pytest.mark.parametrize(
    "op",
    ["ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean", "ReduceProd", "ReduceL1", "ReduceL2",
     "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"],
)  # fmt: skip
def test_reductions(op: str, dtype):
    """Integers too: their means are rounded toward zero."""
    if dtype != F64 and op.startswith("ReduceLog"):
        pytest.skip("ONNX Runtime has none of integers")
    x = np.abs(4 * normal(2, 3, 4, dtype=F64)) if "Log" in op else 4 * normal(2, 3, 4, dtype=F64)
    inputs = {"x": x.astype(dtype), "axes": np.array([0, -1])}
    for keepdims in (0, 1):
        check(op, inputs, constants=("axes",), opset=18, keepdims=keepdims, **EXACT)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.bool_])
@pytest.mark.parametrize("op", ["ReduceMax", "ReduceMin"])
def test_extremes_of_small_integers_and_bools(op: str, dtype):
    x = RNG.integers(0, 2, (3, 4, 5)).astype(dtype)
    model = node_model(op, {"x": x, "axes": np.array([1])}, constants=("axes",), opset=20)
    expected = x.max(1, keepdims=True) if op == "ReduceMax" else x.min(1, keepdims=True)
    found = run_imported(model, {"x": x})["y"]
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_of_f64(axis: int):
    x = normal(3, 4, 5, dtype=F64)
    for op in ("Softmax", "LogSoftmax"):
        check(op, {"x": x}, opset=13, axis=axis, **EXACT)
    found = run_imported(node_model("Hardmax", {"x": x}, opset=13, axis=axis), {"x": x})["y"]
    np.testing.assert_array_equal(found, x == x.max(axis, keepdims=True))


def test_arithmetic_of_f64():
    x, y, z = (normal(3, 4, dtype=F64) for _ in range(3))
    three = {"a": x, "b": y, "c": z}
    for op in ("Sum", "Max", "Min"):
        check(op, three, opset=13, **EXACT)
    mean = run_imported(node_model("Mean", three, opset=13), three)["y"]
    np.testing.assert_allclose(mean, (x + y + z) / 3, **EXACT)
    for op in ("Add", "Sub", "Mul", "Div"):
        check(op, {"a": x, "b": y}, opset=13, **EXACT)
    check("PRelu", {"x": x, "slope": y[:1]}, opset=16, **EXACT)
    bounds = {"x": x, "low": np.array(-0.5), "high": np.array(0.25)}
    check("Clip", bounds, opset=13, constants=("low", "high"), **EXACT)
    model = node_model("Clip", {"x": x}, opset=6, min=-0.5, max=0.25)
    np.testing.assert_array_equal(run_imported(model, {"x": x})["y"], np.clip(x, -0.5, 0.25))


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32, F64])
def test_products(dtype):
    def numbers(*shape: int) -> np.ndarray:
        return RNG.integers(0, 2**20, shape).astype(dtype)

    for left, right in (((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((3,), (2, 3, 4)), ((2, 3), (3,))):
        check(
            "MatMul", {"a": numbers(*left), "b": numbers(*right)}, opset=13, compiled=left == (2, 3)
        )
    inputs = {"a": numbers(3, 2), "b": numbers(4, 3), "c": numbers(4)}
    model = node_model("Gemm", inputs, opset=13, transA=1, transB=1, alpha=2.0, beta=3.0)
    expected = inputs["a"].T @ inputs["b"].T * dtype(2) + inputs["c"] * dtype(3)
    np.testing.assert_array_equal(run_imported(model, inputs)["y"], expected)
    model = node_model("Gemm", inputs, opset=13, transA=1, transB=1, alpha=0.5)
    expected = (inputs["a"].T @ inputs["b"].T * 0.5 + inputs["c"]).astype(dtype)
    if dtype in (np.int64, F64):  # the products of others wrap
        np.testing.assert_array_equal(run_imported(model, inputs)["y"], expected)


EQUATIONS = [
    ("ii->i", [(4, 4)]),
    ("ii", [(4, 4)]),
    ("iji->j", [(3, 4, 3)]),
    ("...ii->...i", [(2, 3, 4, 4)]),
    ("...ij->...ji", [(2, 3, 4)]),
    ("ij->", [(3, 4)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
    ("...ij,...jk", [(2, 3, 4), (5, 1, 4, 2)]),
    ("i,j", [(3,), (4,)]),
    ("i,i->", [(3,), (3,)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
    ("ij,ij,ij->j", [(2, 3), (2, 3), (2, 3)]),
    ("ii,i->i", [(3, 3), (3,)]),
    ("ij,kl->", [(2, 3), (4, 5)]),
    ("ba,b", [(3, 4), (3,)]),
    (",ij->ji", [(), (2, 3)]),
]  # fmt: skip
"""Equations and the shapes of their operands."""


@pytest.mark.parametrize("dtype", [np.float32, F64, np.int64])
@pytest.mark.parametrize(("equation", "shapes"), EQUATIONS)
def test_einsum(equation: str, shapes: Any, dtype):
    arrays = {
        f"x{i}": (4 * normal(*shape, dtype=F64)).astype(dtype) for i, shape in enumerate(shapes)
    }
    model = node_model("Einsum", arrays, opset=12, equation=equation)
    expected = np.einsum(equation, *arrays.values())
    found = run_imported(model, arrays)["y"]
    assert found.dtype == dtype and found.shape == expected.shape
    np.testing.assert_allclose(
        found, expected, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-4
    )


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("ij,jk", "has 2 terms for 1 operands"),
        ("ijk", "does not fit an operand of 2 axes"),
        ("i1", "that is not of letters"),
        ("ij->k", "repeats a letter or has a new one"),
        ("ii", "'i' of 'ii' stands for the sizes 3 and 4"),
    ],
)
def test_equations_that_are_wrong(equation: str, message: str):
    for dtype in (np.float32, F64):
        with pytest.raises(DiagnosticError, match=message):
            imported(
                node_model("Einsum", {"x": normal(3, 4, dtype=dtype)}, opset=12, equation=equation)
            )
