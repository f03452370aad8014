"""Local functions that onnx's inliner does not take as they are, against ONNX Runtime where it runs them."""

from collections.abc import Sequence

import numpy as np
import pytest
from onnx import FunctionProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError

from tests.unit.compiler.onnx_import.onnx_models import random_input, run_imported

SHAPE = (2, 3)
K = np.array([[0.5], [2.0]], np.float32)


def _function(
    nodes: Sequence[NodeProto], outputs: Sequence[str] = ("b",), opset: int = 17
) -> FunctionProto:
    return helper.make_function(
        "local", "F", ["a", "k"], list(outputs), list(nodes), [helper.make_opsetid("", opset)]
    )


def _call(*names: str, outputs: Sequence[str] = ("y",)) -> NodeProto:
    return helper.make_node("F", list(names), list(outputs), domain="local")


def _model(
    nodes: Sequence[NodeProto], function: FunctionProto, outputs: Sequence[str] = ("y",)
) -> ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "calls",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(K, "k")],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("local", 1)]
    return helper.make_model(graph, opset_imports=opsets, functions=[function], ir_version=10)


def test_a_function_of_another_opset_with_the_same_ops():
    """No argument has a declared type: an initializer, and results of a call and of a node of an unknown type."""
    nodes = [
        _call("x", "k", outputs=["b"]),
        helper.make_node("Relu", ["b"], ["c"]),
        _call("c", "k"),
    ]
    body = [helper.make_node("Mul", ["a", "k"], ["t"]), helper.make_node("Softmax", ["t"], ["b"])]
    model, inputs = _model(nodes, _function(body)), {"x": random_input(*SHAPE)}
    np.testing.assert_allclose(
        run_imported(model, inputs)["y"], run_onnx(model, inputs)["y"], rtol=1e-6
    )


def test_a_function_is_converted_from_its_opset():
    """ReduceSum of opset 11 has its axes as an attribute, which ONNX Runtime does not convert."""
    nodes = [
        _call("x", "k", outputs=["b"]),
        helper.make_node("Relu", ["b"], ["c"]),
        _call("c", "k"),
    ]
    body = [
        helper.make_node("Mul", ["a", "k"], ["t"]),
        helper.make_node("ReduceSum", ["t"], ["b"], axes=[1]),
    ]
    model, x = _model(nodes, _function(body, opset=11)), random_input(*SHAPE)
    before = model.SerializeToString()
    once = np.maximum((x * K).sum(1, keepdims=True), 0)
    np.testing.assert_allclose(run_imported(model, {"x": x})["y"], once * K, rtol=1e-6)
    assert model.SerializeToString() == before


def test_a_function_is_converted_in_branches():
    """Branches see the tensors of the graph, and their own conversions."""
    branches = [
        helper.make_graph(
            [_call("x", "k", outputs=["p" + own]), _call("p" + own, "k", outputs=[own])],
            own,
            [],
            [helper.make_tensor_value_info(own, TensorProto.FLOAT, None)],
        )
        for own in ("t", "e")
    ]
    choice = helper.make_node(
        "If", ["yes"], ["b"], then_branch=branches[0], else_branch=branches[1]
    )
    yes = helper.make_node("Constant", [], ["yes"], value=numpy_helper.from_array(np.array(True)))
    body = [
        helper.make_node("Mul", ["a", "k"], ["t"]),
        helper.make_node("ReduceSum", ["t"], ["b"], axes=[1]),
    ]
    model, x = (
        _model([yes, choice, _call("b", "k")], _function(body, opset=11)),
        random_input(*SHAPE),
    )
    once = (x * K).sum(1, keepdims=True)
    np.testing.assert_allclose(run_imported(model, {"x": x})["y"], once * K * K, rtol=1e-6)


@pytest.mark.parametrize("calls_sum_itself", [False, True])
def test_functions_of_other_opsets_that_functions_call(calls_sum_itself: bool):
    """`Center` and `Sum` are converted, of which the first calls the second, in the graph and in a third function."""

    def function(name: str, output: str, nodes: list[NodeProto], opset: int) -> FunctionProto:
        opsets = [helper.make_opsetid("", opset), helper.make_opsetid("local", 1)]
        return helper.make_function("local", name, ["a"], [output], nodes, opsets)

    def call(name: str, read: str, output: str) -> NodeProto:
        return helper.make_node(name, [read], [output], domain="local")

    functions = [
        function("Sum", "b", [helper.make_node("ReduceSum", ["a"], ["b"], axes=[1])], 11),
        function(
            "Center",
            "b",
            [
                call("Sum", "a", "t"),
                helper.make_node("Squeeze", ["t"], ["u"], axes=[1]),
                helper.make_node("Unsqueeze", ["u"], ["v"], axes=[1]),
                helper.make_node("Sub", ["a", "v"], ["b"]),
            ],
            12,
        ),
        function("Both", "b", [call("Center", "a", "t"), call("Center", "t", "b")], 17),
    ]
    nodes = [call("Both", "x", "p"), call("Sum" if calls_sum_itself else "Center", "p", "y")]
    model, x = _model(nodes, functions[0]), random_input(*SHAPE)
    model.functions.extend(functions[1:])
    for _ in range(2 if calls_sum_itself else 3):
        x = x - x.sum(1, keepdims=True)
    expected = x.sum(1, keepdims=True) if calls_sum_itself else x
    found = run_imported(model, {"x": random_input(*SHAPE)})["y"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_a_type_that_cannot_be_known_is_an_error():
    nodes = [helper.make_node("Odd", ["x"], ["o"], domain="else"), _call("o", "k")]
    body = [helper.make_node("ReduceSum", ["a"], ["b"], axes=[1])]
    model = _model(nodes, _function(body, opset=11))
    model.opset_import.append(helper.make_opsetid("else", 1))
    with pytest.raises(DiagnosticError, match="Type unknown for o") as caught:
        run_imported(model, {"x": random_input(*SHAPE)})
    assert "declare these in value_info" in str(caught.value.hint)


@pytest.mark.parametrize("opset", [17, 21])
@pytest.mark.parametrize(
    "outputs", [("b", "k"), ("a", "b"), ("b", "b"), ("a", "a"), ("k", "a")], ids="-".join
)
def test_outputs_that_are_inputs_or_other_outputs(outputs: tuple[str, str], opset: int):
    """ONNX Runtime refuses some of these, onnx's reference runs them."""
    body = [helper.make_node("Add", ["a", "k"], ["b"])]
    nodes = [_call("x", "k", outputs=["p", "q"]), _call("p", "q", outputs=["y", "z"])]
    model = _model(nodes, _function(body, outputs, opset), ["y", "z"])
    inputs = {"x": random_input(*SHAPE)}
    found = run_imported(model, inputs)
    expected = ReferenceEvaluator(model).run(None, inputs)
    for name, each in zip(("y", "z"), expected, strict=True):
        np.testing.assert_allclose(found[name], np.asarray(each), rtol=1e-6)
