"""Writes the defaults of the attributes of local functions into their calls: onnx's inliner leaves them out.

A function lists attributes without a default (`attribute`), which a call may leave out, and those with one
(`attribute_proto`). Nodes of its body refer to both by name; a reference to an attribute that the call leaves out is no
attribute at all, so the node has its own default instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .subgraphs import subgraphs

if TYPE_CHECKING:
    from onnx import FunctionProto, ModelProto, NodeProto

FunctionKey = tuple[str, str, str]
"""Domain, name and overload of a function."""


def function_key(of: NodeProto | FunctionProto) -> FunctionKey:
    """Return the key of a function, or that of the function that a node calls if it is a call."""
    name = getattr(of, "op_type", "") or of.name
    return ("" if of.domain == "ai.onnx" else of.domain), name, of.overload


def with_defaults(model: ModelProto) -> ModelProto:
    """Return the model, or a copy in which calls of its functions give all attributes that have a default.

    A call that leaves out an attribute without a default, which the function passes on to another one, becomes a call
    of an overload of the function that does not pass it on.
    """
    import onnx

    if not any(function.attribute_proto for function in model.functions):
        return model
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    _Completion(copied).run()
    return copied


class _Completion:
    """Completes the calls of a model in place."""

    def __init__(self, model: ModelProto):
        self._model = model
        self._functions = {function_key(each): each for each in model.functions}
        self._overloads: dict[tuple[FunctionKey, frozenset[str]], str] = {}

    def run(self) -> None:
        """Complete the calls of the graph and of all functions."""
        for function in list(self._model.functions):
            self._complete(function.node, frozenset())
        self._complete(self._model.graph.node, frozenset())

    def _complete(self, nodes: Iterable[NodeProto], absent: frozenset[str]) -> None:
        """Complete the calls among nodes of a function whose own attributes `absent` are left out."""
        for node in nodes:
            if any(each.ref_attr_name in absent for each in node.attribute if each.ref_attr_name):
                kept = [each for each in node.attribute if each.ref_attr_name not in absent]
                del node.attribute[:]
                node.attribute.extend(kept)
            for graph in subgraphs(node):
                self._complete(graph.node, absent)
            key = function_key(node)
            function = self._functions.get(key)
            if function is None:
                continue
            given = {each.name for each in node.attribute}
            node.attribute.extend(
                each for each in function.attribute_proto if each.name not in given
            )
            left = frozenset(function.attribute) - given
            if left and self._passes_on(function, left):
                node.overload = self._without(key, left)

    def _passes_on(self, function: FunctionProto, names: frozenset[str]) -> bool:
        """Return whether a call in a function's body has an attribute that is one of `names` of the function."""
        return any(
            attribute.ref_attr_name in names
            for node in _nodes(function.node)
            if function_key(node) in self._functions
            for attribute in node.attribute
        )

    def _without(self, key: FunctionKey, left: frozenset[str]) -> str:
        """Return the overload of a function that lacks the attributes `left`."""
        known = self._overloads.get((key, left))
        if known is not None:
            return known
        domain, name, own = key
        overload = "_".join(filter(None, (own, "without", *sorted(left))))
        while (domain, name, overload) in self._functions:
            overload += "_"
        self._overloads[key, left] = overload
        made = self._model.functions.add()
        made.CopyFrom(self._functions[key])
        made.overload = overload
        del made.attribute[:]
        made.attribute.extend(each for each in self._functions[key].attribute if each not in left)
        self._functions[function_key(made)] = made
        self._complete(made.node, left)
        return overload


def _nodes(nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    """Yield nodes and those of their subgraphs."""
    for node in nodes:
        yield node
        for graph in subgraphs(node):
            yield from _nodes(graph.node)
