"""INT8 of gates whose sums are far beyond what their functions distinguish, against ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler import compile_model
from smalti.compiler.analysis.comparison import Difference

_HIDDEN, _STEPS = 8, 3
_DECIBELS = 15.0


def lstm_model(generator: np.random.Generator) -> onnx.ModelProto:
    """An LSTM whose inputs are far larger than its states."""
    weights = {
        "w": generator.normal(0, 1, (1, 4 * _HIDDEN, 4)),
        "r": generator.normal(0, 1, (1, 4 * _HIDDEN, _HIDDEN)),
    }
    node = helper.make_node("LSTM", ["x", "w", "r"], ["", "y"], hidden_size=_HIDDEN)
    graph = helper.make_graph(
        [node],
        "gates",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (_STEPS, 1, 4))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 1, _HIDDEN))],
        [
            numpy_helper.from_array(array.astype(np.float32), name)
            for name, array in weights.items()
        ],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def test_gates_of_small_and_large_inputs():
    """The large inputs saturate all gates; the small ones, calibrated together with them, do not."""
    generator = np.random.default_rng(6)
    model = lstm_model(generator)
    small = generator.normal(0, 1, (_STEPS, 1, 4)).astype(np.float32)
    for x in (small, 30 * small):
        samples = {"x": np.concatenate([small, 30 * small])}
        compiled = compile_model(model, quantize="int8", calibration=samples)
        wanted = run_onnx(model, {"x": x})["y"]
        found = compiled.run({"x": x})["y"]
        assert Difference.between("y", found, wanted).snr_db >= _DECIBELS
