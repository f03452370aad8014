"""INT8 of tensors of very different size that a Concat joins, and of outputs that ops only move."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, helper, numpy_helper

from tests.unit.compiler.onnx_import.onnx_models import model_of

from .int8_accuracy import SAMPLES, Arrays, decibels, normal, outputs

BOXES, SCORES = 4, 8
LEAST_DB = 20
"""For the worst channel of boxes or scores; the scores had 0 dB in one scale."""
INPUTS: Arrays = {"x": normal(SAMPLES, 4, 6, 6)}
CONSTANTS: Arrays = {
    "to_boxes": normal(BOXES, 4, 1, 1, seed=1) * np.float32(200),
    "to_scores": normal(SCORES, 4, 1, 1, seed=2) / 2,
    "pixels": np.array(640, np.float32),
    "rows": np.array([1, BOXES + SCORES, 36]),
    "parts": np.array([BOXES, SCORES]),
    "begin": np.array([0]),
    "middle": np.array([BOXES]),
    "end": np.array([BOXES + SCORES]),
    "channels": np.array([1]),
    "mixing": normal(4, BOXES + SCORES, 1, 1, seed=3),
    "even": np.repeat(np.float32([1 / 640, 1]), [BOXES, SCORES]).reshape(-1, 1, 1),
    "scales": np.array([1, 1, 2, 2], np.float32),
}


def node(kind: str, inputs: str, results: str, **attributes: object) -> NodeProto:
    """A node; names are words of a string, and no name stands between two spaces."""
    return helper.make_node(kind, inputs.split(" "), results.split(), name=results, **attributes)


HEADS = [node("Conv", "x to_boxes", "boxes"), node("Conv", "x to_scores", "scores")]
JOIN = node("Concat", "boxes scores", "joined", axis=1)
ROWS = [node("Reshape", "joined rows", "lines"), node("Transpose", "lines", "y", perm=[0, 2, 1])]


def model(*nodes: NodeProto, results: str = "y") -> ModelProto:
    used = {name for each in nodes for name in each.input}
    constants = {name: value for name, value in CONSTANTS.items() if name in used}
    return model_of(nodes, {"x": [1, 4, 6, 6]}, results.split(), constants)


NETWORKS = {
    "output": (model(*HEADS, node("Concat", "boxes scores", "y", axis=1)), 1),
    "moved output": (model(*HEADS, JOIN, *ROWS), 2),
    "functions of 8 bits": (
        model(
            *HEADS,
            node("Sigmoid", "boxes", "shares"),
            node("Mul", "shares pixels", "places"),
            node("Sigmoid", "scores", "certain"),
            node("Concat", "places certain", "joined", axis=1),
            *ROWS,
        ),
        2,
    ),
    "slices that 8 bits read": (
        model(
            *HEADS,
            JOIN,
            *ROWS,
            node("Split", "y parts", "first second", axis=2),
            node("Add", "second second", "twice"),
            results="first twice",
        ),
        2,
    ),
    "slices of the concat": (
        model(
            *HEADS,
            JOIN,
            node("Slice", "joined begin middle channels", "first"),
            node("Slice", "joined middle end channels", "second"),
            node("Sigmoid", "second", "certain"),
            node("Concat", "first certain", "y", axis=1),
        ),
        1,
    ),
    "an activation": (model(*HEADS, JOIN, node("Relu", "joined", "y")), 1),
    "a scale for each channel, and an activation": (
        model(*HEADS, JOIN, node("Mul", "joined even", "scaled"), node("Elu", "scaled", "y")),
        1,
    ),
    "a sum of all, and an activation": (
        model(*HEADS, JOIN, node("Add", "joined joined", "twice"), node("Relu", "twice", "y")),
        1,
    ),
    "the greatest of each window": (
        model(*HEADS, JOIN, node("MaxPool", "joined", "y", kernel_shape=[2, 2])),
        1,
    ),
    "resized": (model(*HEADS, JOIN, node("Resize", "joined  scales", "y")), 1),
    "an output that a convolution reads too": (
        model(*HEADS, JOIN, node("Conv", "joined mixing", "mixed"), results="joined"),
        1,
    ),
}
"""Networks, each with the axis of its boxes and scores."""


@pytest.mark.parametrize("name", NETWORKS)
def test_each_part_keeps_its_own_scale(name: str):
    network, axis = NETWORKS[name]
    for got, expected in outputs(network, INPUTS):
        for part in range(expected.shape[axis]):
            channel = [each.take(part, axis) for each in (got, expected)]
            assert decibels(*channel) >= LEAST_DB


def test_one_scale_that_a_reader_forces_is_told(capsys: pytest.CaptureFixture[str]):
    network = model(
        *HEADS,
        node("Sigmoid", "scores", "certain"),
        node("Concat", "boxes certain", "joined", axis=1),
        node("Conv", "joined mixing", "y"),
    )
    outputs(network, INPUTS)
    told = capsys.readouterr().err
    assert "joined: warning: 'joined' joins tensors of very different size" in told
    assert "note: the range of 'certain' is 1/" in told


@pytest.mark.parametrize("activates", [False, True])
def test_products_balance_one_scale(activates: bool, capsys: pytest.CaptureFixture[str]):
    """Weights that bring the parts to like size: in one scale nothing was left of the scores."""
    part = "active" if activates else "scores"
    nodes = [node("Relu", "scores", "active")] if activates else []
    network = model(
        *HEADS,
        *nodes,
        node("Concat", f"boxes {part}", "joined", axis=1),
        node("Conv", "joined weights", "y"),
    )
    weights = CONSTANTS["mixing"] / np.repeat([1000, 1], [BOXES, SCORES]).reshape(1, -1, 1, 1)
    network.graph.initializer.append(numpy_helper.from_array(weights.astype(np.float32), "weights"))
    [(got, expected)] = outputs(network, INPUTS)
    assert decibels(got, expected) > 25
    assert f"note: '{part}' is stored 128 times as large" in capsys.readouterr().err


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Reshape", "x rows", "y")],
        [node("Transpose", "x", "y", perm=[0, 3, 1, 2])],
        [node("Concat", "x x", "y", axis=1)],
        [node("Slice", "x begin channels channels", "y")],
        [node("Pad", "x pads", "y")],
    ],
    ids=["reshape", "transpose", "concat", "slice", "pad"],
)
def test_an_input_that_is_only_moved_to_an_output_is_not_rounded(nodes: list[NodeProto]):
    constants = {
        "rows": np.array([1, 12, 12]), "begin": np.array([0]), "channels": np.array([1]),
        "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
    }  # fmt: skip
    used = {name: constants[name] for each in nodes for name in each.input if name in constants}
    [(got, expected)] = outputs(model_of(nodes, {"x": [1, 4, 6, 6]}, ["y"], used), INPUTS)
    np.testing.assert_array_equal(got, expected)


def test_a_function_of_8_bits_is_not_rounded_again_on_its_way_to_an_output():
    sigmoid = [HEADS[1], node("Sigmoid", "scores", "certain")]
    moved = model(*sigmoid, node("Transpose", "certain", "y", perm=[0, 2, 3, 1]))
    alone = model(*sigmoid, results="certain")
    [(got, _)], [(plain, _)] = outputs(moved, INPUTS), outputs(alone, INPUTS)
    np.testing.assert_array_equal(got, plain.transpose(0, 2, 3, 1))
