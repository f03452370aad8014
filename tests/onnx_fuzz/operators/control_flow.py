"""If, Loop and Scan of constant conditions and lengths, with bodies that read tensors of the graph around them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import GraphProto, TensorProto, helper

from tests.onnx_fuzz.draw import Draw, declared

FUNCTIONS = ("Relu", "Tanh", "Sigmoid", "Abs")


def branch(kind: str, captured: str, name: str) -> GraphProto:
    """Return a graph without inputs: a function of a tensor of the graph around it."""
    node = helper.make_node(kind, [captured], [name], name=f"{name}_node")
    return helper.make_graph([node], name, [], [helper.make_empty_tensor_value_info(name)])


def conditional(draw: Draw) -> None:
    """Either branch."""
    captured = draw.operand(np.float32, (1, 4))
    name = f"b{len(draw.arrays)}"
    one, other = (
        branch(draw.choice(FUNCTIONS), captured, f"{name}_{side}") for side in ("then", "else")
    )
    condition = draw.constant(draw.chance(0.5), np.bool_)
    draw.node("If", [condition], captured=[captured], then_branch=one, else_branch=other)


def loop(draw: Draw) -> None:
    """A few turns: the state, and what each turn adds to a list."""
    state = draw.operand(np.float32, (1, 3))
    array = draw.arrays[state]
    captured = draw.beside(state)
    if np.broadcast_shapes(array.shape, draw.arrays[captured].shape) != array.shape:
        return
    name = f"l{len(draw.arrays)}"
    inner = [f"{name}_{each}" for each in ("turn", "going", "state", "sum", "next", "still")]
    nodes = [
        helper.make_node("Add", [inner[2], captured], [inner[3]], name=f"{name}_add"),
        helper.make_node("Tanh", [inner[3]], [inner[4]], name=f"{name}_tanh"),
        helper.make_node("Identity", [inner[1]], [inner[5]], name=f"{name}_going_on"),
    ]
    body = helper.make_graph(
        nodes,
        name,
        [
            helper.make_tensor_value_info(inner[0], TensorProto.INT64, []),
            helper.make_tensor_value_info(inner[1], TensorProto.BOOL, []),
            declared(inner[2], array),
        ],
        [
            helper.make_tensor_value_info(inner[5], TensorProto.BOOL, []),
            declared(inner[4], array),
            declared(inner[3], array),
        ],
    )
    trips = draw.constant(draw.integer(1, 4))
    condition = draw.constant(True, np.bool_) if draw.chance(0.5) else ""
    draw.node("Loop", [trips, condition, state], 2, [captured], body=body)


def scan(draw: Draw) -> None:
    """Along an axis of a tensor, in either direction."""
    scanned = draw.operand(np.float32, (1, 4))
    array = draw.arrays[scanned]
    axis = draw.axis(scanned, negative=False)
    row = np.zeros(np.delete(array.shape, axis), np.float32)
    state = draw.operand(np.float32, shape=row.shape)
    name = f"s{len(draw.arrays)}"
    inner = [f"{name}_{each}" for each in ("state", "row", "next", "copy")]
    nodes = [
        helper.make_node("Add", inner[:2], [inner[2]], name=f"{name}_add"),
        helper.make_node("Relu", [inner[2]], [inner[3]], name=f"{name}_relu"),
    ]
    body = helper.make_graph(
        nodes,
        name,
        [declared(each, row) for each in inner[:2]],
        [declared(each, row) for each in inner[2:]],
    )
    draw.node(
        "Scan",
        [state, scanned],
        outputs=2,
        body=body,
        num_scan_inputs=1,
        scan_input_axes=[axis],
        scan_input_directions=draw.choice((None, [0], [1])),
        scan_output_directions=draw.choice((None, [0], [1])),
    )


DRAWS: dict[str, Callable[[Draw], None]] = {"If": conditional, "Loop": loop, "Scan": scan}
