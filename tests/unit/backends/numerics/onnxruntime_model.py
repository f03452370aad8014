"""Runs one ONNX operator under ONNX Runtime, or under ONNX's reference implementation."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper


def _model(op: str, inputs: list[np.ndarray | None], opset: int, out_type: int, attributes: Any):
    names = [f"x{i}" if array is not None else "" for i, array in enumerate(inputs)]
    node = helper.make_node(op, names, ["y"], **attributes)
    given = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for n, a in zip(names, inputs, strict=True)
        if a is not None
    ]
    output = helper.make_tensor_value_info("y", out_type, None)
    graph = helper.make_graph([node], "one", given, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    return model, {n: a for n, a in zip(names, inputs, strict=True) if a is not None}


_OUTPUTS = {"ConvInteger": TensorProto.INT32, "MatMulInteger": TensorProto.INT32}


def _output_type(op: str, inputs: list[np.ndarray | None]) -> int:
    first = inputs[0]
    assert first is not None
    if op == "QuantizeLinear":
        zero_point = inputs[2]
        assert zero_point is not None
        return helper.np_dtype_to_tensor_dtype(zero_point.dtype)
    if op == "DequantizeLinear":
        return TensorProto.FLOAT
    return _OUTPUTS.get(op, helper.np_dtype_to_tensor_dtype(first.dtype))


def run(op: str, inputs: list[np.ndarray | None], opset: int = 19, **attributes: Any) -> np.ndarray:
    """The first output of the operator under ONNX Runtime (graph optimizations off)."""
    import onnxruntime

    model, feeds = _model(op, inputs, opset, _output_type(op, inputs), attributes)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(None, feeds)[0])


def reference(
    op: str, inputs: list[np.ndarray | None], opset: int = 19, **attributes: Any
) -> np.ndarray:
    """The first output of the operator under `onnx.reference`."""
    from onnx.reference import ReferenceEvaluator

    model, feeds = _model(op, inputs, opset, _output_type(op, inputs), attributes)
    result = ReferenceEvaluator(model).run(None, feeds)
    assert isinstance(result, list)
    return np.asarray(result[0])
