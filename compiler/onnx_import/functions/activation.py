"""Defines the activations of ONNX Runtime's domain: GELU in its forms, with and without a bias."""

from __future__ import annotations

from .function_graph import FunctionDefinition, FunctionGraph


def _gelu(approximate: str, has_bias: bool):
    """Return the function of a GELU, exact ("none") or by "tanh", of the operand and an optional bias."""

    def write(graph: FunctionGraph) -> None:
        bias = graph.optional(1) if has_bias else ""
        graph.add("Gelu", graph.add_given(graph.input(0), bias), to=0, approximate=approximate)

    return write


def _quick_gelu(graph: FunctionGraph) -> None:
    """Write x · sigmoid(alpha · x)."""
    x = graph.input(0)
    alpha = graph.constant(graph.node.real("alpha", 1.702), graph.dtype(0))
    graph.add("Mul", x, graph.add("Sigmoid", graph.add("Mul", x, alpha)), to=0)


FUNCTIONS = {
    "com.microsoft.Gelu": FunctionDefinition(_gelu("none", False), "vector"),
    "com.microsoft.BiasGelu": FunctionDefinition(_gelu("none", True), "vector"),
    "com.microsoft.FastGelu": FunctionDefinition(_gelu("tanh", True), "vector"),
    "com.microsoft.QuickGelu": FunctionDefinition(_quick_gelu, "vector"),
}
"""The functions of this family."""
