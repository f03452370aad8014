"""Networks that compute with integers and with indices made at run time, on the whole path, against ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.simulator.simulate import simulate
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions

from .test_random_networks import levels, same

Arrays = dict[str, np.ndarray]
RNG = np.random.default_rng(11)


def network(
    op: str,
    inputs: Arrays,
    constants: Arrays | None = None,
    outputs: int = 1,
    order: Sequence[str] = "",
    **attributes: Any,
) -> onnx.ModelProto:
    """A model of one op, whose inputs are computed at run time or constants, in the order of both dictionaries unless
    `order` says another.
    """
    names = list(order) or [*inputs, *(constants or {})]
    results = [f"y{number}" for number in range(outputs)]
    node = helper.make_node(op, names, results, name="op", **attributes)
    declared = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
        for name, x in inputs.items()
    ]
    graph = helper.make_graph(
        [node],
        "one_op",
        declared,
        [onnx.ValueInfoProto(name=name) for name in results],
        [numpy_helper.from_array(x, name) for name, x in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    inferred = onnx.shape_inference.infer_shapes(model)
    return inferred


def numbers(dtype: str, *shape: int, low: int = -50, high: int = 50) -> np.ndarray:
    info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else None
    lowest = low if info is None else max(low, int(info.min))
    return RNG.integers(lowest, high, shape).astype(dtype)


def check(model: onnx.ModelProto, inputs: Arrays, expected: Arrays | None = None) -> None:
    """At every level the results are those of ONNX Runtime, to the bit."""
    wanted = run_onnx(model, inputs) if expected is None else expected
    results = levels(model, CompileOptions("edge-1c", None, "f32"), inputs)
    for result, what in zip(results, ("tpu", "tile", "program"), strict=True):
        same(result, wanted, what)
        for name, value in wanted.items():
            assert result[name].dtype == value.dtype


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Min", "Max"])
def test_arithmetic(op: str, dtype: str):
    x, y = numbers(dtype, 2, 3, 4), numbers(dtype, 3, 1, low=1)
    check(network(op, {"x": x, "y": y}), {"x": x, "y": y})


def test_division_goes_toward_zero():
    x, y = np.array([7, -7, 7, -7, -8, 0]), np.array([2, 2, -2, -2, 2, -5])
    model = network("Div", {"x": x, "y": y})
    check(model, {"x": x, "y": y}, {"y0": np.array([3, -3, -3, 3, -4, 0])})


@pytest.mark.parametrize("fmod", [0, 1])
def test_remainder(fmod: int):
    x, y = np.array([7, -7, 7, -7, 6]), np.array([3, 3, -3, -3, 3])
    check(network("Mod", {"x": x, "y": y}, fmod=fmod), {"x": x, "y": y})


@pytest.mark.parametrize("op", ["Abs", "Neg", "Sign", "Relu"])
def test_one_operand(op: str):
    x = numbers("int32", 3, 5)
    check(network(op, {"x": x}), {"x": x})


def test_pow_and_clip():
    x, y = numbers("int64", 6, low=-5, high=6), np.array([3, 2, 1, 0, 2, 3])
    check(network("Pow", {"x": x, "y": y}), {"x": x, "y": y})
    check(network("Clip", {"x": x}, {"low": np.array(-2), "high": np.array(3)}), {"x": x})


@pytest.mark.parametrize("op", ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"])
def test_comparisons_are_exact(op: str):
    x = np.array([2**53, 2**53 + 1, -3, 4])
    y = np.array([2**53 + 1, 2**53, -3, 5])
    check(network(op, {"x": x, "y": y}), {"x": x, "y": y})


@pytest.mark.parametrize("op", ["BitwiseAnd", "BitwiseOr", "BitwiseXor"])
def test_bits(op: str):
    x, y = numbers("int32", 4, 3), numbers("int32", 3)
    wanted = {"BitwiseAnd": x & y, "BitwiseOr": x | y, "BitwiseXor": x ^ y}[op]
    check(network(op, {"x": x, "y": y}), {"x": x, "y": y}, {"y0": wanted})


def test_not_and_shifts():
    x = numbers("uint32", 5)
    check(network("BitwiseNot", {"x": x}), {"x": x}, {"y0": ~x})
    for direction in ("LEFT", "RIGHT"):
        counts = np.array([1, 2, 3, 31, 0], np.uint32)
        model = network("BitShift", {"x": x, "n": counts}, direction=direction)
        check(model, {"x": x, "n": counts})


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("data", ["input", "constant"])
def test_gather(axis: int, data: str):
    x, indices = numbers("float32", 4, 5, 6), np.array([[1, -1, 0], [3, -4, 2]])
    names = {"x": x, "i": indices}
    if data == "input":
        check(network("Gather", names, axis=axis), names)
        return
    check(network("Gather", {"i": indices}, {"x": x}, order="xi", axis=axis), {"i": indices})


def test_index_out_of_range():
    x, indices = numbers("float32", 4, 5), np.array([1, 4])
    model = network("Gather", {"x": x, "i": indices})
    with pytest.raises(DiagnosticError, match="index 4 is out of range: axis 0 has 4 elements"):
        levels(model, CompileOptions("edge-1c", None, "f32"), {"x": x, "i": indices})
    program = start_from_model(model, CompileOptions("edge-1c", None, "f32")).assemble()
    from smalti.backends.simulator.simulate import simulate

    with pytest.raises(DiagnosticError, match="index 4 is out of range") as found:
        simulate(program, {"x": x, "i": indices})
    assert "op" in found.value.message, "the message names the node"


def test_gather_elements_and_nd():
    x, indices = numbers("int64", 3, 4), np.array([[0, -1, 2], [1, 0, 0]])
    given = {"x": x, "i": indices}
    check(network("GatherElements", given, axis=1), given)
    pairs = {"x": numbers("float32", 2, 3, 4), "i": np.array([[[0, 1]], [[-1, 2]]])}
    check(network("GatherND", pairs), pairs)
    rows = {"x": pairs["x"], "i": np.array([[[0], [2]], [[-1], [1]]])}
    check(network("GatherND", rows, batch_dims=1), rows)


@pytest.mark.parametrize("reduction", ["none", "add", "mul", "min", "max"])
def test_scatter(reduction: str):
    x = numbers("float32", 4, 5)
    indices = np.array([[0, -1], [2, 3]])
    given = {"x": x, "i": indices, "u": numbers("float32", 2, 2)}
    check(network("ScatterElements", given, axis=1, reduction=reduction), given)
    rows = {"x": x, "i": np.array([[3], [0]]), "u": numbers("float32", 2, 5)}
    check(network("ScatterND", rows, reduction=reduction), rows)


@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize("axis", [0, -1])
def test_one_hot(axis: int, dtype: str):
    indices, values = np.array([[1, -1, 0], [3, 9, 2]]), np.array([2, 5], dtype)
    model = network("OneHot", {"i": indices}, {"d": np.array(4), "v": values}, axis=axis)
    check(model, {"i": indices})


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_trilu(dtype: str):
    x = numbers(dtype, 2, 4, 5)
    check(network("Trilu", {"x": x}, {"k": np.array([1])}, upper=1), {"x": x})
    check(network("Trilu", {"x": x}, upper=0), {"x": x})


_CASTS = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
          "float16", "float32", "float64"]  # fmt: skip


@pytest.mark.parametrize("source", _CASTS)
def test_cast(source: str):
    x = np.array([0, 1, 3, 100], source)
    for wanted in _CASTS:
        if wanted == source:
            continue
        to = helper.np_dtype_to_tensor_dtype(np.dtype(wanted))
        check(network("Cast", {"x": x}, to=to), {"x": x})


MOVED: dict[str, Callable[[np.ndarray], onnx.ModelProto]] = {
    "reshape": lambda x: network("Reshape", {"x": x}, {"s": np.array([3, 8])}),
    "squeeze": lambda x: network("Unsqueeze", {"x": x}, {"a": np.array([1])}),
    "transpose": lambda x: network("Transpose", {"x": x}, perm=[2, 0, 1]),
    "slice": lambda x: network(
        "Slice",
        {"x": x},
        {
            "s": np.array([1, 0]),
            "e": np.array([3, 4]),
            "a": np.array([1, 2]),
            "t": np.array([1, 2]),
        },
    ),
    "backwards": lambda x: network(
        "Slice",
        {"x": x},
        {"s": np.array([-1]), "e": np.array([-9]), "a": np.array([2]), "t": np.array([-1])},
    ),
    "pad": lambda x: network(
        "Pad", {"x": x}, {"p": np.array([0, 1, 0, 0, 0, 2]), "v": np.array(1, x.dtype)}
    ),
    "edge": lambda x: network("Pad", {"x": x}, {"p": np.array([0, 1, 0, 0, 0, 2])}, mode="edge"),
    "gather": lambda x: network("Gather", {"x": x}, {"i": np.array([2, 0, 0])}, axis=1),
    "expand": lambda x: network("Expand", {"x": x}, {"s": np.array([3, 2, 3, 4])}),
    "tile": lambda x: network("Tile", {"x": x}, {"r": np.array([1, 2, 2])}),
    "split": lambda x: network("Split", {"x": x}, outputs=2, axis=2, num_outputs=2),
}


@pytest.mark.parametrize("dtype", [*_CASTS, "concat"])
def test_movement(dtype: str):
    if dtype == "concat":
        given = {"x": numbers("int64", 2, 3), "y": numbers("int64", 2, 2)}
        check(network("Concat", given, axis=1), given)
        return
    x = numbers(dtype, 2, 3, 4, low=0, high=100)
    for name, make in MOVED.items():
        model = make(x)
        try:
            wanted = run_onnx(model, {"x": x})
        except DiagnosticError:
            continue  # ONNX Runtime lacks the type
        try:
            check(model, {"x": x}, wanted)
        except (AssertionError, DiagnosticError) as error:
            raise AssertionError(f"{name} of {dtype}: {error}") from error


@pytest.mark.parametrize(
    "dtype", ["int64", "int32", "uint8", "int16", "float64", "float32", "bool"]
)
def test_where(dtype: str):
    given = {"c": numbers("int64", 3, 1) > 0, "x": numbers(dtype, 3, 4), "y": numbers(dtype, 4)}
    if dtype in ("int16", "bool"):
        wanted = {"y0": np.where(given["c"], given["x"], given["y"])}
        check(network("Where", given), given, wanted)
    else:
        check(network("Where", given), given)


def test_constants_are_not_moved():
    """The host reads constants among the program's weights; only what is computed crosses the bus."""
    ids, table = RNG.integers(0, 6, (4,)), RNG.normal(size=(2, 6, 300)).astype(np.float32)
    model = network("Gather", {"ids": ids}, {"table": table}, order=("table", "ids"), axis=1)
    check(model, {"ids": ids})
    program = start_from_model(model, CompileOptions("default-8c", None, "f32")).compile()
    (call,) = program.calls
    assert call.in_weights == {0: 0} and call.frame_bytes == ids.nbytes
    timing = simulate(program, None, mode="timing").timing
    assert timing is not None and timing.bytes_read == ids.nbytes
    assert program.lower_bound is not None
    moved = ids.nbytes + 2 * 4 * 300 * 4
    assert program.lower_bound.parts["global memory"] == -(-moved // 128)


def test_a_constant_beside_two_computed_operands():
    """Operands that are computed stand side by side, wherever the constant is among them."""
    x, y = RNG.normal(size=(6, 5)).astype(np.float32), RNG.normal(size=(2, 5)).astype(np.float32)
    given, ids = {"x": x, "y": y}, {"ids": np.array([[5], [0]])}
    check(network("ScatterND", given, ids, order=("x", "ids", "y"), reduction="add"), given)
