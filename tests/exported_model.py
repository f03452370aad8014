"""Runs exported models with tools that are not ours: ONNX Runtime, or ONNX's reference where that lacks a kernel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import ModelProto, TensorProto
from onnx.reference import ReferenceEvaluator
from smalti.backends.numerics.storage import SMALL_NAMES
from smalti.compiler.onnx_export.schema import element_type

_NOT_FED = {TensorProto.BFLOAT16, *(element_type(name) for name in SMALL_NAMES)}
"""Elements that ONNX Runtime's Python interface takes or gives no arrays of."""


def run_exported(
    model: ModelProto, inputs: Mapping[str, np.ndarray], by_reference: bool = False
) -> dict[str, np.ndarray]:
    """Check a model as strictly as ONNX can, and return its outputs by name; `by_reference` leaves out ONNX Runtime."""
    onnx.checker.check_model(model, full_check=True)
    outputs = [value.name for value in model.graph.output]
    feeds = {name: np.asarray(value) for name, value in inputs.items()}
    session = None if by_reference else _session(model)
    found = (
        ReferenceEvaluator(model).run(outputs, feeds)
        if session is None
        else session.run(outputs, feeds)
    )
    return {name: np.asarray(value) for name, value in zip(outputs, found, strict=True)}


def _session(model: ModelProto):
    """Return a session of ONNX Runtime without optimizations, None if it has no kernel for an op and its elements.

    Optimizations sum in another order: in the suite's test_squeezenet, whose 1,000 logits are equal and near 1e10, the
    last bit of a sum then makes the softmax 0 for all channels but those of one block.
    """
    import onnxruntime

    ports = [*model.graph.input, *model.graph.output]
    if any(value.type.tensor_type.elem_type in _NOT_FED for value in ports):
        return None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime's exceptions have no public common base
        if "NOT_IMPLEMENTED" not in str(error):
            raise
        return None
