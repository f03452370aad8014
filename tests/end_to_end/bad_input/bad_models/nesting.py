"""Graphs in graphs, and functions in functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import onnx.helper as oh
from onnx import ModelProto

from .building import FLOAT, Bad, integers, loop_of, model_of, node


def nested() -> Iterator[Bad]:
    """Graphs in graphs, and functions in functions, without an end or nearly so."""
    for depth in (30, 300, 3000):
        yield f"{depth} Ifs in each other", _ifs(depth)
        yield f"{depth} sequences in each other", _sequences(depth)
        yield f"{depth} functions in each other, the last unknown", _calls(depth, "Nowhere")
    yield "function that calls itself", _calls(1, "F0", "me")
    yield "functions that call each other", _calls(5, "F0", "me")
    yield "functions that call the next twice, 60 times", _calls(60, "Relu", "", calls=2)
    yield "a body that reads what is nowhere", _if_of("nowhere")
    yield "a body that reads its own result", _if_of("y")
    made = _if_of("x")
    made.graph.node[-1].attribute.pop()
    yield "If without else_branch", made
    loop = model_of(*loop_of(integers(3)[0]))
    loop.graph.node[-1].attribute[0].g.input.pop()
    yield "loop whose body has an input too few", loop
    loop = model_of(*loop_of(integers(3)[0]))
    loop.graph.node[-1].attribute[0].g.output.pop()
    yield "loop whose body has an output too few", loop
    loop = model_of(*loop_of(integers(3)[0]))
    loop.graph.node[-1].attribute[0].g.ClearField("node")
    yield "loop with an empty body", loop
    loop = model_of(*loop_of(integers(3)[0]))
    loop.graph.node[-1].attribute.pop()
    yield "loop without a body", loop


def _field(number: int, content: bytes) -> bytes:
    """A field of a message that holds bytes: protobuf itself makes no messages that are nested deeply."""
    size, digits = len(content), bytearray()
    while size > 127:
        digits.append(size & 127 | 128)
        size >>= 7
    return bytes([number << 3 | 2, *digits, size]) + content


def _ifs(depth: int) -> bytes:
    """Ifs of a constant condition in each other, the innermost of an unknown op."""
    value = oh.make_tensor_value_info("y", FLOAT, None)
    rest = oh.make_graph([], "g", [], [value]).SerializeToString()
    graph = _field(1, node("Nowhere", "x").SerializeToString()) + rest
    other = _field(1, node("Relu", "x").SerializeToString()) + rest
    made = b""
    for _ in range(depth):
        made = node("If", "c").SerializeToString()
        for name, branch in (("then_branch", graph), ("else_branch", other)):
            attribute = onnx.AttributeProto(name=name, type=onnx.AttributeProto.GRAPH)
            made += _field(5, attribute.SerializeToString() + _field(6, branch))
        graph = _field(1, made) + rest
    return model_of(c=np.array(True)).SerializeToString() + _field(7, _field(1, made))


def _if_of(tensor: str) -> ModelProto:
    value = oh.make_tensor_value_info("z", FLOAT, None)
    branch = oh.make_graph([node("Relu", tensor, out="z")], "g", [], [value])
    return model_of(node("If", "c", then_branch=branch, else_branch=branch), c=np.array(True))


def _sequences(depth: int) -> bytes:
    """An input that is a sequence of sequences …"""
    type = oh.make_tensor_type_proto(FLOAT, [4]).SerializeToString()
    for _ in range(depth):
        type = _field(4, _field(1, type))
    model = model_of(node("Relu", "x"))
    model.graph.ClearField("input")
    named = onnx.ValueInfoProto(name="x").SerializeToString() + _field(2, type)
    return model.SerializeToString() + _field(7, _field(11, named))


def _calls(depth: int, last: str, domain: str = "", calls: int = 1) -> ModelProto:
    """Functions F0, F1 … each of which calls the next `calls` times, and the last one `last`."""
    sets = [oh.make_opsetid("", 17), oh.make_opsetid("me", 1)]
    functions = []
    for number in range(depth):
        inner, where = (f"F{number + 1}", "me") if number + 1 < depth else (last, domain)
        steps = [f"t{step}" for step in range(calls + 1)]
        nodes = [
            oh.make_node(inner, [steps[i]], [steps[i + 1]], domain=where) for i in range(calls)
        ]
        functions.append(oh.make_function("me", f"F{number}", ["t0"], [steps[-1]], nodes, sets))
    return model_of(node("F0", "x", domain="me"), functions=functions)


def functions() -> Iterator[Bad]:
    """Functions of the model that are wrong, or called wrongly."""
    sets = [oh.make_opsetid("", 17)]

    def called(**changes: Any) -> ModelProto:
        given: dict[str, Any] = {
            "inputs": ["a"], "outputs": ["b"], "nodes": [oh.make_node("Relu", ["a"], ["b"])],
            "opset_imports": sets, "attributes": None, **changes,
        }  # fmt: skip
        function = oh.make_function("me", "F", **given)
        return model_of(node("F", "x", domain="me"), functions=[function])

    yield "function that is not there", model_of(node("F", "x", domain="me"))
    yield "function of an unknown op", called(nodes=[oh.make_node("Reluu", ["a"], ["b"])])
    yield "function that reads what is nowhere", called(nodes=[oh.make_node("Relu", ["q"], ["b"])])
    yield "function whose output nobody makes", called(nodes=[oh.make_node("Relu", ["a"], ["q"])])
    yield "function without nodes", called(nodes=[])
    yield "function with a cycle", called(nodes=[oh.make_node("Add", ["a", "b"], ["b"])])
    yield "function of opset 1000", called(opset_imports=[oh.make_opsetid("", 1000)])
    yield "function called with too many operands", _with_operands(called(), "x", "x")
    leaky = oh.make_node("Concat", ["a", "a"], ["b"])
    leaky.attribute.add(name="axis", ref_attr_name="axis", type=onnx.AttributeProto.INT)
    yield "function called without its attribute", called(nodes=[leaky], attributes=["axis"])
    twice = called()
    twice.functions.add().CopyFrom(twice.functions[0])
    yield "function defined twice", twice


def _with_operands(model: ModelProto, *names: str) -> ModelProto:
    model.graph.node[0].input[:] = names
    return model
