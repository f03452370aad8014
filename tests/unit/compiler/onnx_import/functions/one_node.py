"""Models of one node of ONNX Runtime's domain, compared with what ONNX Runtime computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler import compile_model, import_model

Arrays = Mapping[str, Any]
RNG = np.random.default_rng(11)
OUTPUTS = ("y", "y1", "y2", "y3")


def floats(*shape: int) -> np.ndarray:
    """Return random floats."""
    return RNG.normal(0, 1, shape).astype(np.float32)


def model_of(
    op: str,
    inputs: Arrays,
    constants: Arrays,
    order: str,
    outputs: str = "y",
    domain: str = "com.microsoft",
    integers: str = "",
    **attributes: Any,
) -> ModelProto:
    """Return a model of one op; `order` names its operands and `outputs` its results, "-" is one that is left out.

    Results are floats, but the one that `integers` names is of i32.
    """
    given, made = (
        ["" if name == "-" else name for name in each.split()] for each in (order, outputs)
    )
    node = helper.make_node(op, given, made, name="op", domain=domain, **attributes)
    graph = helper.make_graph(
        [node],
        "one_node",
        [_declared(name, np.asarray(each)) for name, each in inputs.items()],
        [
            helper.make_tensor_value_info(
                name, TensorProto.INT32 if name == integers else TensorProto.FLOAT, None
            )
            for name in made
            if name
        ],
        [numpy_helper.from_array(np.asarray(each), name) for name, each in constants.items()],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def _declared(name: str, array: np.ndarray):
    number = helper.np_dtype_to_tensor_dtype(array.dtype)
    return helper.make_tensor_value_info(name, number, array.shape)


def check(
    op: str,
    inputs: Arrays,
    constants: Arrays,
    order: str,
    outputs: str = "y",
    device: bool = False,
    tolerance: float = 1e-4,
    **more: Any,
) -> None:
    """All results at `top`, and on the device too if that is asked for, are those of ONNX Runtime."""
    model = model_of(op, inputs, constants, order, outputs, **more)
    operands = {name: np.asarray(each) for name, each in inputs.items()}
    wanted = run_onnx(model, operands)
    networks = [import_model(model)]
    if device:
        networks.append(compile_model(model, quantize="f32"))
    for network in networks:
        found = network.run(operands)
        for name, expected in wanted.items():
            assert found[name].dtype == expected.dtype
            np.testing.assert_allclose(found[name], expected, rtol=0, atol=tolerance, err_msg=name)
