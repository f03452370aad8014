"""Models of one node with inputs of any type, checked against ONNX Runtime."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import ModelProto, helper, numpy_helper, shape_inference
from smalti.backends.cpu.session import run_onnx
from smalti.compiler import compile_model

from tests.unit.compiler.onnx_import.onnx_models import run_imported

RNG = np.random.default_rng(11)


def node_model(
    op: str,
    inputs: Mapping[str, np.ndarray | None],
    outputs: tuple[str, ...] = ("y",),
    *,
    constants: tuple[str, ...] = (),
    opset: int = 21,
    **attributes: Any,
) -> ModelProto:
    """A model of a node; an input of None is left out, those among `constants` are initializers."""
    given = {name: value for name, value in inputs.items() if value is not None}
    names = [name if value is not None else "" for name, value in inputs.items()]
    node = helper.make_node(op, names, list(outputs), name="node", **attributes)
    graph = helper.make_graph(
        [node],
        "test",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
            )
            for name, value in given.items()
            if name not in constants
        ],
        [helper.make_empty_tensor_value_info(name) for name in outputs if name],
        [numpy_helper.from_array(given[name], name) for name in constants],
    )
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    # The types of outputs are those that ONNX infers.
    model = shape_inference.infer_shapes(model)
    for output in model.graph.output:
        if output.type.WhichOneof("value") is None:
            first = next(iter(given.values()))
            output.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(first.dtype)
    return model


def check(
    op: str,
    inputs: Mapping[str, np.ndarray | None],
    outputs: tuple[str, ...] = ("y",),
    *,
    constants: tuple[str, ...] = (),
    rtol: float = 1e-5,
    atol: float = 1e-5,
    compiled: bool = False,
    **more: Any,
) -> dict[str, np.ndarray]:
    """Compare the interpreter of top, and a program if `compiled`, with ONNX Runtime; return what the first gives."""
    model = node_model(op, inputs, outputs, constants=constants, **more)
    values = {n: v for n, v in inputs.items() if v is not None and n not in constants}
    expected = run_onnx(model, values)
    found = [run_imported(model, values)]
    if compiled:
        found.append(compile_model(model, target="edge-1c", quantize="f32").run(values))
    for each in found:
        for name, value in expected.items():
            assert each[name].dtype == value.dtype and each[name].shape == value.shape
            np.testing.assert_allclose(each[name], value, rtol=rtol, atol=atol)
    return found[0]


def normal(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    """Random numbers around 0."""
    return RNG.normal(size=shape).astype(dtype)
