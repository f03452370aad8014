"""Models that quantize to and from small elements: they are imported, run at every level, and exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.numerics.storage import EXPONENTS, dtype_of
from smalti.compiler import ImportedModel, export_model, import_model
from smalti.compiler.compilation.compile_options import CompileOptions

from tests.exported_model import run_exported

from .test_random_networks import levels

NAMES = ["f8E4M3FN", "f8E4M3FNUZ", "f8E5M2", "f8E5M2FNUZ", "f4E2M1FN", "i4", "u4", "i2", "u2"]
"""The small elements that ONNX quantizes to."""
SHAPES: dict[str, tuple[tuple[int, ...], dict[str, int]]] = {
    "tensor": ((), {}),
    "axis": ((6,), {"axis": 1}),
    "blocks": ((4, 3), {"axis": 1, "block_size": 2}),
}
"""The shapes of scales for a tensor [4, 6], and where they lie."""


def element(x: np.ndarray) -> int:
    return helper.np_dtype_to_tensor_dtype(x.dtype)


def network(
    nodes: list[onnx.NodeProto],
    inputs: dict[str, np.ndarray],
    results: dict[str, int],
    constants: dict[str, np.ndarray],
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "quantized",
        [helper.make_tensor_value_info(name, element(x), x.shape) for name, x in inputs.items()],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in results.items()],
        [numpy_helper.from_array(x, name) for name, x in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)], ir_version=13)


def there_and_back(
    kind: str, storage: str, scales: np.dtype, **more: Any
) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """A model that gives x quantized, and what that stands for; its input."""
    shape, attributes = SHAPES[kind]
    generator = np.random.default_rng(3)
    scale = np.exp2(generator.integers(-2, 2, shape)).astype(np.float32).astype(scales)
    zero = np.zeros(shape, dtype_of(storage))
    x = generator.normal(0, 3, (4, 6)).astype(np.float32)
    to = {"output_dtype": TensorProto.FLOAT} if scales != np.float32 else {}
    by: dict[str, Any] = {"precision": TensorProto.FLOAT} if scales != np.float32 else {}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], **attributes, **by, **more),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"], **attributes, **to),
    ]
    results = {"q": element(zero), "y": TensorProto.FLOAT}
    return network(nodes, {"x": x}, results, {"s": scale, "z": zero}), {"x": x}


def check(model: onnx.ModelProto, inputs: dict[str, np.ndarray]) -> ImportedModel:
    """Every level, and the exported model, compute what ONNX's reference computes of the model, to the bit."""
    names = [value.name for value in model.graph.output]
    values: Any = ReferenceEvaluator(model).run(names, inputs)
    imported = import_model(model)
    found = {"top": imported.run(inputs), "exported": run_exported(imported.to_onnx(), inputs)}
    options = CompileOptions("default-8c", None, "f32")
    for level, result in zip(
        ("tpu", "tile", "program"), levels(model, options, inputs), strict=True
    ):
        found[level] = result
    for level, result in found.items():
        for name, wanted in zip(names, values, strict=True):
            got = result[name]
            assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape), (level, name)
            np.testing.assert_array_equal(
                got.astype(np.float32), wanted.astype(np.float32), err_msg=f"{level} {name}"
            )
    return imported


@pytest.mark.parametrize("storage", NAMES)
@pytest.mark.parametrize("kind", SHAPES)
def test_there_and_back(kind: str, storage: str):
    check(*there_and_back(kind, storage, np.dtype(np.float32)))


@pytest.mark.parametrize("storage", ["f8E4M3FN", "f4E2M1FN", "i4"])
def test_scales_that_are_powers_of_2(storage: str):
    check(*there_and_back("blocks", storage, dtype_of(EXPONENTS)))


def test_what_does_not_saturate():
    model, inputs = there_and_back("tensor", "f8E5M2", np.dtype(np.float32), saturate=0)
    inputs["x"] = inputs["x"] * np.float32(1e5)
    check(model, inputs)


@pytest.mark.parametrize("external", [False, True])
@pytest.mark.parametrize("storage", ["i4", "u2", "f4E2M1FN", "f8E5M2"])
def test_constants_that_are_small_are_packed(tmp_path: Path, storage: str, external: bool):
    """Weights of small elements with scales of run time stay small in exported files, in or beside the model."""
    generator = np.random.default_rng(5)
    bits = {"i4": 4, "u2": 2, "f4E2M1FN": 4, "f8E5M2": 8}[storage]
    codes = generator.integers(0, min(1 << bits, 100), (65, 63)).astype(np.uint8)
    weight = codes.view(dtype_of(storage))
    scale = generator.uniform(0.1, 1, 63).astype(np.float32)
    zero = np.zeros(63, weight.dtype)
    node = helper.make_node("DequantizeLinear", ["w", "s", "z"], ["y"], axis=1)
    model = network([node], {"s": scale}, {"y": TensorProto.FLOAT}, {"w": weight, "z": zero})
    imported = check(model, {"s": scale})
    (held,) = [each for each in imported.to_onnx().graph.initializer if each.name == "w"]
    assert len(held.raw_data) == -(-65 * 63 * bits // 8)
    np.testing.assert_array_equal(numpy_helper.to_array(held).view(np.uint8), codes)
    path = tmp_path / "m.onnx"
    export_model(imported, path, external_data=external)
    onnx.checker.check_model(str(path), full_check=True)
    found = import_model(path).run({"s": scale})["y"]
    np.testing.assert_array_equal(found, imported.run({"s": scale})["y"])


def test_small_weights_with_constant_scales_become_floats():
    generator = np.random.default_rng(5)
    weight = generator.integers(0, 16, (6, 4)).astype(np.uint8).view(dtype_of("i4"))
    scale = generator.uniform(0.1, 1, (3, 4)).astype(np.float32)
    x = generator.normal(0, 1, (2, 6)).astype(np.float32)
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "s"], ["f"], axis=0, block_size=2),
        helper.make_node("MatMul", ["x", "f"], ["y"]),
    ]
    model = network(nodes, {"x": x}, {"y": TensorProto.FLOAT}, {"w": weight, "s": scale})
    wanted = x @ (weight.astype(np.float32) * np.repeat(scale, 2, 0))
    np.testing.assert_allclose(import_model(model).run({"x": x})["y"], wanted, rtol=1e-5, atol=1e-5)


def test_what_nothing_is_quantized_to():
    x, scale = np.zeros((4, 6), np.float32), np.array(1, np.float32)
    node = helper.make_node("QuantizeLinear", ["x", "s"], ["q"], output_dtype=TensorProto.INT64)
    model = network([node], {"x": x}, {"q": TensorProto.INT64}, {"s": scale})
    with pytest.raises(DiagnosticError) as error:
        import_model(model)
    text = "\n".join([str(error.value), *error.value.notes])
    assert "integers of 2 to 32 bits and floats of 4 to 8 are supported" in text
