"""Quantization to and from small elements, against ONNX's reference, with all kinds of scales."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from smalti.backends.numerics.functions.call import Call
from smalti.backends.numerics.functions.function import TensorKind
from smalti.backends.numerics.storage import EXPONENTS, SMALL_NAMES, dtype_of, name_of

QUANTIZED = [name for name in SMALL_NAMES if name != EXPONENTS]
RNG = np.random.default_rng(6)
SCALES = {
    "tensor": (np.float32(0.25).reshape(()), {}, {}),
    "axis": (RNG.uniform(0.1, 1, 6).astype(np.float32), {"axis": 1}, {"axis": 1}),
    "blocks": (
        RNG.uniform(0.1, 1, (4, 3)).astype(np.float32),
        {"axis": 1, "block_size": 2},
        {"axis": 1, "block": 2},
    ),
}


def called(function: str, arrays: list[np.ndarray], **attributes: Any) -> np.ndarray:
    kinds = [TensorKind(each.shape, name_of(each.dtype)) for each in arrays]
    return Call.of(function, kinds, attributes).compute([each[None] for each in arrays])[0]


def reference(op: str, arrays: list[np.ndarray], **attributes: Any) -> np.ndarray:
    names = ["x", "scale", "zero_point"]
    node = helper.make_node(op, names, ["y"], **attributes)
    declared = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
        for name, x in zip(names, arrays, strict=True)
    ]
    given = helper.make_tensor_value_info("y", TensorProto.UNDEFINED, None)
    graph = helper.make_graph([node], "one", declared, [given])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)])
    (result,) = ReferenceEvaluator(model).run(["y"], dict(zip(names, arrays, strict=True)))
    return np.asarray(result)


@pytest.mark.parametrize("name", QUANTIZED)
@pytest.mark.parametrize("kind", SCALES)
def test_there_and_back(kind: str, name: str):
    scale, theirs, ours = SCALES[kind]
    x = RNG.normal(0, 3, (4, 6)).astype(np.float32)
    zero_point = np.zeros(scale.shape, dtype_of(name))
    quantized = called("quantize_linear", [x, scale, zero_point], **ours)
    expected = reference("QuantizeLinear", [x, scale, zero_point], **theirs)
    assert quantized.dtype == dtype_of(name)
    np.testing.assert_array_equal(quantized.astype(np.float32), expected.astype(np.float32))
    back = called("dequantize_linear", [quantized, scale, zero_point], to="f32", **ours)
    expected = reference("DequantizeLinear", [quantized, scale, zero_point], **theirs)
    np.testing.assert_array_equal(back, expected)


def test_scales_that_are_powers_of_2():
    x = np.array([[1.0, 2.0, 24.0, -6.0]], np.float32)
    scale = np.array([[0.5, 4.0]]).astype(dtype_of(EXPONENTS))
    zero_point = np.zeros((1, 2), dtype_of("f4E2M1FN"))
    quantized = called("quantize_linear", [x, scale, zero_point], axis=1, block=2)
    np.testing.assert_array_equal(quantized.astype(np.float32), [[2, 4, 6, -1.5]])
    back = called("dequantize_linear", [quantized, scale, zero_point], to="f32", axis=1, block=2)
    np.testing.assert_array_equal(back, x)
