"""Compares one node of ONNX, interpreted at top and compiled for default-8c, with what others compute."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from smalti.backends.cpu.session import run_onnx
from smalti.compiler import onnx_backend

INTERPRETER, DEVICE = "CPU", "default-8c"


def node_model(
    node: NodeProto,
    arrays: Mapping[str, np.ndarray],
    opset: int,
    constants: Collection[str] = (),
    results: Mapping[str, np.dtype] | None = None,
) -> ModelProto:
    """A model of a node; arrays named in `constants` are initializers, and `results` has the types of the outputs."""
    types = results or {}
    graph = helper.make_graph(
        [node],
        "node",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in arrays.items()
            if name not in constants
        ],
        [
            helper.make_tensor_value_info(
                name,
                helper.np_dtype_to_tensor_dtype(types[name])
                if name in types
                else TensorProto.UNDEFINED,
                None,
            )
            for name in node.output
            if name
        ],
        [numpy_helper.from_array(arrays[name], name) for name in constants],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def reference(
    node: NodeProto, arrays: Mapping[str, np.ndarray], opset: int
) -> dict[str, np.ndarray]:
    """What the reference implementation of the onnx package computes."""
    given = node_model(node, arrays, opset)
    results = ReferenceEvaluator(given).run(None, dict(arrays))
    return dict(zip([name for name in node.output if name], results, strict=True))  # pyright: ignore[reportArgumentType]


def runtime(
    node: NodeProto,
    arrays: Mapping[str, np.ndarray],
    opset: int,
    results: Mapping[str, np.dtype],
    constants: Collection[str] = (),
) -> dict[str, np.ndarray]:
    """What ONNX Runtime computes."""
    given = node_model(node, arrays, opset, constants, results)
    fed = {name: array for name, array in arrays.items() if name not in constants}
    return run_onnx(given, fed)


def check_node(
    node: NodeProto,
    arrays: Mapping[str, np.ndarray],
    opset: int,
    expected: Mapping[str, np.ndarray],
    *,
    constants: Collection[str] = (),
    tolerance: float = 1e-6,
    devices: Sequence[str] = (INTERPRETER, DEVICE),
) -> None:
    """Raise AssertionError unless the node has the expected outputs, in type, shape and value, on each device."""
    types = {name: each.dtype for name, each in expected.items()}
    model = node_model(node, arrays, opset, constants, types)
    fed = {name: array for name, array in arrays.items() if name not in constants}
    for device in devices:
        found = onnx_backend.prepare(model, device).run(fed)
        for name, array in zip(expected, found, strict=True):
            wanted = expected[name]
            assert array.dtype == wanted.dtype, f"{name} on {device} is of {array.dtype}"
            assert array.shape == wanted.shape, f"{name} on {device} has shape {array.shape}"
            scale = max(1.0, float(np.abs(np.nan_to_num(wanted.astype(np.float64))).max(initial=0)))
            np.testing.assert_allclose(
                array.astype(np.float64),
                wanted.astype(np.float64),
                rtol=0,
                atol=tolerance * scale,
                err_msg=f"{name} on {device}",
            )
