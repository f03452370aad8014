"""A small network that the runtime's tests serve."""

import numpy as np
import onnx
from onnx import TensorProto, helper


def network() -> onnx.ModelProto:
    """Return y = relu(x w), with a free batch axis: x [batch, 6], y [batch, 3]."""
    weights = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["p"], "product"),
            helper.make_node("Relu", ["p"], ["y"], "relu"),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def sample(seed: int) -> np.ndarray:
    """Return an input of one sample."""
    return np.random.default_rng(seed).normal(size=(1, 6)).astype(np.float32)
