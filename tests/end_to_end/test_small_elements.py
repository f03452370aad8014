"""Small elements go the whole way: they are given, moved, chosen, compared, cast and returned, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.numerics.storage import SMALL_NAMES, STORAGE_TYPES, dtype_of
from smalti.compiler import compile_model, import_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.inputs.arrays import read_npz, write_npz
from smalti.compiler.inputs.random_inputs import random_input

from .test_random_networks import levels

SHAPE = (2, 3, 4, 5)
SOME = ["f8E4M3FN", "f8E5M2", "f4E2M1FN", "i4", "u2"]
"""Types of each kind of numbers."""


def elements(name: str, *shape: int, seed: int = 0) -> np.ndarray:
    count = 1 << STORAGE_TYPES[name].file_bits
    codes = np.random.default_rng(seed).integers(0, count, shape).astype(np.uint8)
    return codes.view(dtype_of(name))


def network(
    op: str,
    inputs: dict[str, np.ndarray],
    result: np.dtype,
    constants: dict[str, np.ndarray] | None = None,
    order: str = "",
    **attributes: Any,
) -> onnx.ModelProto:
    names = order.split() or [*inputs, *(constants or {})]
    declared = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
        for name, x in inputs.items()
    ]
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(result))
    graph = helper.make_graph(
        [helper.make_node(op, names, ["result"], name="op", **attributes)],
        "one_op",
        declared,
        [helper.make_tensor_value_info("result", kind, None)],
        [numpy_helper.from_array(x, name) for name, x in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)], ir_version=12)


def check(model: onnx.ModelProto, inputs: dict[str, np.ndarray], expected: np.ndarray) -> None:
    """At every level the result has the bytes of what is expected."""
    results = [import_model(model).run(inputs)]
    results += levels(model, CompileOptions("default-8c", None, "f32"), inputs)
    for level, result in zip(("top", "tpu", "tile", "program"), results, strict=True):
        got = result["result"]
        assert (got.dtype, got.shape) == (expected.dtype, expected.shape), level
        np.testing.assert_array_equal(got.view(np.uint8), expected.view(np.uint8), err_msg=level)


MOVES: dict[str, tuple[str, dict[str, Any], dict[str, Any], Callable[[np.ndarray], np.ndarray]]] = {
    "identity": ("Identity", {}, {}, lambda x: x),
    "transpose": ("Transpose", {}, {"perm": [3, 1, 0, 2]}, lambda x: x.transpose(3, 1, 0, 2)),
    "reshape": ("Reshape", {"s": [6, 20]}, {}, lambda x: x.reshape(6, 20)),
    "flatten": ("Flatten", {}, {"axis": 3}, lambda x: x.reshape(24, 5)),
    "slice": ("Slice", {"b": [1, 4], "e": [3, -9], "a": [1, 3], "s": [1, -2]}, {}, lambda x: x[:, 1:3, :, 4::-2]),
    "gather": ("Gather", {"i": [3, 0, 1]}, {"axis": 2}, lambda x: x[:, :, [3, 0, 1]]),
    "tile": ("Tile", {"r": [1, 2, 1, 2]}, {}, lambda x: np.tile(x, (1, 2, 1, 2))),
    "pad": ("Pad", {"p": [0, 1, 0, 1, 0, 0, 2, 0]}, {"mode": "edge"},
            lambda x: np.pad(x, [(0, 0), (1, 0), (0, 2), (1, 0)], mode="edge")),
}  # fmt: skip


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("case", MOVES)
def test_moves(case: str, name: str):
    op, given, attributes, expected = MOVES[case]
    x = elements(name, *SHAPE)
    constants = {key: np.array(value) for key, value in given.items()}
    model = network(op, {"x": x}, x.dtype, constants, **attributes)
    check(model, {"x": x}, np.ascontiguousarray(expected(x)))


@pytest.mark.parametrize("name", SMALL_NAMES)
def test_several_operands(name: str):
    x, y = elements(name, *SHAPE), elements(name, *SHAPE, seed=1)
    inputs = {"x": x, "y": y}
    check(network("Concat", inputs, x.dtype, axis=1), inputs, np.concatenate([x, y], 1))
    with_constant = network("Concat", {"x": x}, x.dtype, {"w": y}, axis=3)
    check(with_constant, {"x": x}, np.concatenate([x, y], 3))
    for op, compare in (("Equal", np.equal), ("Less", np.less)):
        check(network(op, inputs, np.dtype(np.bool_)), inputs, compare(x, y))
    chosen = {"c": np.random.default_rng(4).random(SHAPE) > 0.5, **inputs}
    check(network("Where", chosen, x.dtype), chosen, np.where(chosen["c"], x, y))
    taken = {"x": x, "i": np.array([3, 0, 1])}
    check(network("Gather", taken, x.dtype, axis=2), taken, x[:, :, [3, 0, 1]])


@pytest.mark.parametrize("name", SOME)
def test_padding_is_zero(name: str):
    x = elements(name, *SHAPE)
    model = network("Pad", {"x": x}, x.dtype, {"p": np.array([0, 1, 0, 1, 0, 0, 2, 0])})
    check(model, {"x": x}, np.pad(x, [(0, 0), (1, 0), (0, 2), (1, 0)]))


@pytest.mark.parametrize("name", SMALL_NAMES)
def test_what_nothing_computes_with_is_told(name: str):
    x = elements(name, 4)
    for op in ("Add", "Max", "Mod"):
        with pytest.raises(DiagnosticError) as error:
            import_model(network(op, {"x": x, "y": x}, x.dtype))
        text = "\n".join([str(error.value), *error.value.notes])
        assert f"computes with the {x.dtype} tensor 'x'" in text and "cast that to FLOAT" in text
    with pytest.raises(DiagnosticError):
        import_model(network("Relu", {"x": x}, x.dtype))


def test_is_nan():
    x = np.array([1.0, np.nan, -2.0], dtype_of("f8E4M3FN"))
    check(network("IsNaN", {"x": x}, np.dtype(np.bool_)), {"x": x}, np.array([False, True, False]))


@pytest.mark.parametrize("name", SMALL_NAMES)
def test_inputs_are_taken_in_wider_types_that_hold_them(name: str, tmp_path: Path):
    """Files of NumPy know no small elements: they are written in f32, i8 or u8."""
    x = elements(name, 8)
    model = network("Identity", {"x": x}, x.dtype)
    write_npz(tmp_path / "x.npz", {"x": x})
    files = [tmp_path / "x.npz"]
    if name != "f8E5M2":  # NumPy cannot read what it writes of it
        files.append(tmp_path / "own.npz")
        np.savez(files[-1], x=x)
    for given in map(read_npz, files):
        check(model, given, x)
    results = levels(model, CompileOptions("default-8c", None, "f32"), {"x": x.astype(np.float64)})
    assert all(result["result"].tobytes() == x.tobytes() for result in results)
    compiled = compile_model(model, target="default-8c", quantize="f32")
    for run in (import_model(model).run, compiled.run):
        with pytest.raises(DiagnosticError, match="not all are numbers of"):
            run({"x": np.full(8, 0.3)})


@pytest.mark.parametrize("name", SMALL_NAMES)
@pytest.mark.parametrize("bounds", [None, (0, 1)])
def test_random_inputs(name: str, bounds: tuple[int, int] | None):
    x = random_input("x", (64,), dtype_of(name), 3, bounds)
    numbers = x.astype(np.float32)
    assert x.dtype == dtype_of(name) and np.isfinite(numbers).all()
    assert len(np.unique(numbers)) > 1 and numbers[0] == numbers.astype(x.dtype)[0]


def test_weights_of_a_model_in_external_data(tmp_path: Path):
    w = elements("i4", 3, 5)
    x = elements("i4", 3, 5, seed=1)
    model = network("Concat", {"x": x}, w.dtype, {"w": w}, axis=0)
    onnx.save(
        model,
        tmp_path / "m.onnx",
        save_as_external_data=True,
        size_threshold=0,
        location="m.bin",
    )
    got = import_model(tmp_path / "m.onnx").run({"x": x})["result"]
    np.testing.assert_array_equal(got, np.concatenate([x, w]))


def test_a_sum_of_what_is_cast_to_f32():
    x = elements("f8E5M2", 16)
    x = x[np.isfinite(x.astype(np.float32))]
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["f", "f"], ["s"]),
        helper.make_node("Cast", ["s"], ["result"], to=TensorProto.FLOAT8E5M2),
    ]
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT8E5M2, x.shape)
        for name in ("x", "result")
    ]
    graph = helper.make_graph(nodes, "sum", ports[:1], ports[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)], ir_version=12)
    limit = 57344.0
    doubled = np.clip(2 * x.astype(np.float32), -limit, limit).astype(x.dtype)
    check(model, {"x": x}, doubled)
