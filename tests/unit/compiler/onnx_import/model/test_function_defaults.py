"""Defaults of the attributes of a model's local functions, against ONNX Runtime: onnx's own reference has none."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from onnx import FunctionProto, ModelProto, NodeProto, TensorProto, helper, parser
from smalti.backends.cpu.session import run_onnx

from tests.unit.compiler.onnx_import.onnx_models import random_input, run_imported

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]


def _function(
    name: str, nodes: Sequence[NodeProto], names: Sequence[str] = (), **defaults: object
) -> FunctionProto:
    return helper.make_function(
        "local",
        name,
        ["a"],
        ["b"],
        list(nodes),
        OPSETS,
        list(names),
        [helper.make_attribute(key, value) for key, value in defaults.items()],
    )


def _node(op: str, given: str, made: str, domain: str = "", **references: str) -> NodeProto:
    """A node whose attributes refer to those of its function."""
    node = helper.make_node(op, [given], [made], domain=domain)
    for name, reference in references.items():
        node.attribute.add(name=name, ref_attr_name=reference, type=1)
    return node


LEAK = _function("leak", [_node("LeakyRelu", "a", "b", alpha="slope")], slope=0.5)
OUTER = _function("outer", [_node("leak", "a", "b", "local", slope="steep")], ["steep"])
TWICE = _function(
    "twice",
    [_node("leak", "a", "c", "local", slope="slope"), _node("leak", "c", "b", "local")],
    slope=0.25,
)
OPTIONAL = _function("optional", [_node("LeakyRelu", "a", "b", alpha="slope")], ["slope"])


def _model(name: str, functions: Sequence[FunctionProto], **given: Any) -> ModelProto:
    graph = helper.make_graph(
        [helper.make_node(name, ["x"], ["y"], domain="local", **given)],
        "main",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, 5])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, 5])],
    )
    return helper.make_model(graph, functions=functions, opset_imports=OPSETS, ir_version=10)


def _leaked(x: np.ndarray, *slopes: float) -> np.ndarray:
    for slope in slopes:
        x = np.where(x < 0, x * np.float32(slope), x)
    return x


@pytest.mark.parametrize(
    ("name", "given", "slopes"),
    [
        ("leak", {}, [0.5]),
        ("leak", {"slope": 0.125}, [0.125]),
        ("outer", {}, [0.5]),
        ("outer", {"steep": 0.125}, [0.125]),
        ("twice", {}, [0.25, 0.5]),
        ("twice", {"slope": 2.0}, [2.0, 0.5]),
        ("optional", {}, [0.01]),
        ("optional", {"slope": 0.5}, [0.5]),
    ],
)
def test_attributes_that_a_call_leaves_out_have_the_function_s_defaults(
    name: str, given: dict[str, float], slopes: list[float]
):
    """Also through a function that passes on an attribute that it was not given."""
    model = _model(name, [LEAK, OUTER, TWICE, OPTIONAL], **given)
    before = model.SerializeToString()
    x = random_input(3, 5)
    found = run_imported(model, {"x": x})["y"]
    np.testing.assert_allclose(found, _leaked(x, *slopes), rtol=1e-6)
    assert model.SerializeToString() == before


@pytest.mark.parametrize("name", ["leak", "twice"])
def test_values_are_those_of_onnx_runtime(name: str):
    model = _model(name, [LEAK, TWICE])
    x = random_input(3, 5)
    found = run_imported(model, {"x": x})["y"]
    np.testing.assert_allclose(found, run_onnx(model, {"x": x})["y"], rtol=1e-6)


def test_a_default_that_a_subgraph_refers_to():
    model = parser.parse_model(
        """
        <ir_version: 10, opset_import: ["" : 17, "local" : 1]>
        main (float[4] x, bool c) => (float[4] y) {
            y = local.chosen(x, c)
        }
        <domain: "local", opset_import: ["" : 17]>
        chosen <slope: float = 0.5> (a, c) => (b) {
            b = If (c) <
                then_branch = yes () => (p) { p = LeakyRelu <alpha: float = @slope> (a) },
                else_branch = no () => (q) { q = Identity (a) }
            >
        }
        """
    )
    x = random_input(4)
    found = run_imported(model, {"x": x, "c": np.array(True)})["y"]
    np.testing.assert_allclose(found, _leaked(x, 0.5), rtol=1e-6)
