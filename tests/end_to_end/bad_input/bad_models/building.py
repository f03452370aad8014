"""Makes small models, of which those of the other modules are wrong in one way each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import onnx
import onnx.helper as oh
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from ...conftest import small_model

Bad: TypeAlias = "tuple[str, ModelProto | bytes]"
"""A name, and a model or the bytes of its file."""


FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def model_of(
    *nodes: NodeProto,
    x: Sequence[int | str] | None = (1, 4),
    element: int = FLOAT,
    opset: int = 17,
    functions: Sequence[onnx.FunctionProto] = (),
    **constants: np.ndarray,
) -> ModelProto:
    """A model with input x, whose output y the last node makes, and constants by name."""
    graph = oh.make_graph(
        list(nodes),
        "bad",
        [oh.make_tensor_value_info("x", element, x)],
        [oh.make_tensor_value_info("y", FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [oh.make_opsetid("", opset), oh.make_opsetid("me", 1)]
    return oh.make_model(graph, opset_imports=opsets, ir_version=8, functions=functions)


def node(kind: str, *inputs: str, out: str | Sequence[str] = "y", **attributes: Any) -> NodeProto:
    """A node from inputs to the output y."""
    outputs = [out] if isinstance(out, str) else list(out)
    return oh.make_node(kind, list(inputs), outputs, f"the_{kind.lower()}", **attributes)


def integers(*values: int) -> np.ndarray:
    """A list of i64."""
    return np.array(values, np.int64)


def loop_of(trips: np.ndarray) -> list[NodeProto]:
    """A loop that doubles x, with a constant number of trips."""
    value = oh.make_tensor_value_info
    body = oh.make_graph(
        [
            oh.make_node("Add", ["before", "before"], ["after"]),
            oh.make_node("Identity", ["goes"], ["goes_on"]),
        ],
        "body",
        [value("i", INT64, []), value("goes", BOOL, []), value("before", FLOAT, [1, 4])],
        [value("goes_on", BOOL, []), value("after", FLOAT, [1, 4])],
    )
    number = numpy_helper.from_array(np.asarray(trips, np.int64))
    return [
        oh.make_node("Constant", [], ["trips"], value=number),
        oh.make_node("Loop", ["trips", "", "x"], ["y"], body=body),
    ]


def tokens() -> ModelProto:
    """Rows of a table by integers."""
    table = np.ones((10, 4), np.float32)
    return model_of(node("Gather", "table", "x"), element=INT64, table=table)


Edit: TypeAlias = Callable[[ModelProto], object]


def edited(edits: dict[str, Edit]) -> Iterator[Bad]:
    """The small model, changed by each of the edits."""
    for name, edit in edits.items():
        model = small_model()
        edit(model)
        yield name, model
