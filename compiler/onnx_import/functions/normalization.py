"""Defines the normalizations of ONNX Runtime: with a residual operand, of embeddings, and by the root of the mean
square under the name that it had before ONNX took it.
"""

from __future__ import annotations

import numpy as np

from ..graph.node import UnsupportedNodeError
from .function_graph import FunctionDefinition, FunctionGraph

_EPSILON = 1e-12
"""What is added to the variance unless the node says otherwise."""


def _refuse_statistics(graph: FunctionGraph) -> None:
    if any(graph.node.uses_output(index) for index in (1, 2)):
        raise UnsupportedNodeError("its outputs of means and deviations are used")


def _skip_layer_norm(graph: FunctionGraph) -> None:
    """Write LayerNormalization of input + skip + bias, whose sum is output 3."""
    _refuse_statistics(graph)
    total = graph.add_given(graph.input(0), graph.input(1), graph.optional(4), to=3)
    epsilon = graph.node.real("epsilon", _EPSILON)
    given = [each for each in (graph.input(2), graph.optional(3)) if each]
    graph.add("LayerNormalization", total, *given, to=0, epsilon=epsilon)


def _skip_rms_norm(graph: FunctionGraph) -> None:
    """Write RMSNormalization of input + skip + bias, whose sum is output 3."""
    _refuse_statistics(graph)
    total = graph.add_given(graph.input(0), graph.input(1), graph.optional(3), to=3)
    epsilon = graph.node.real("epsilon", _EPSILON)
    graph.add("RMSNormalization", total, graph.input(2), to=0, epsilon=epsilon)


def _rms_norm(graph: FunctionGraph) -> None:
    """Write RMSNormalization; ONNX Runtime's op of this name is in ONNX's own domain."""
    _refuse_statistics(graph)
    node = graph.node
    graph.add(
        "RMSNormalization",
        graph.input(0),
        graph.input(1),
        to=0,
        axis=node.integer("axis", -1),
        epsilon=node.real("epsilon", 1e-5),
    )


def _embed(graph: FunctionGraph, tables: list[str], ids: list[str], affine: list[str]) -> None:
    """Write LayerNormalization of the sum (output 2) of rows of the tables, one for each of `ids`."""
    rows = [
        graph.add("Gather", table, index, axis=0)
        for table, index in zip(tables, ids, strict=True)
        if table
    ]
    total = graph.add_given(rows[0], *rows[1:], to=2)
    epsilon = graph.node.real("epsilon", _EPSILON)
    graph.add("LayerNormalization", total, *affine, to=0, epsilon=epsilon)


def _words_of_mask(graph: FunctionGraph, mask: str) -> None:
    """Write output 1: how many words of each sentence the mask keeps (i32); 0 without a mask."""
    batch, _ = graph.shape(0)
    if not mask:
        graph.add("Identity", graph.constant(np.zeros(batch), np.int32), to=1)
        return
    one = graph.constant(1, np.int32)
    kept = graph.cast(graph.add("Equal", mask, one), np.int32)
    graph.add("ReduceSum", kept, graph.constant([1]), to=1, keepdims=0)


def _positions(graph: FunctionGraph, given: str) -> str:
    return given or graph.constant(np.arange(graph.shape(0)[1])[np.newaxis])


def _embed_layer_norm(graph: FunctionGraph) -> None:
    """Write EmbedLayerNormalization: inputs 2 ... 4 are tables of words, positions and segments."""
    tables = [graph.input(2), graph.input(3), graph.optional(4)]
    ids = [graph.input(0), _positions(graph, graph.optional(8)), graph.optional(1)]
    _words_of_mask(graph, graph.optional(7))
    _embed(graph, tables, ids, [graph.input(5), graph.input(6)])


def _quantized_embed_layer_norm(graph: FunctionGraph) -> None:
    """Write it of tables, gamma and beta that are quantized: 8 ... 12 are their scales, 13 ... 17 their zero points."""
    tables = [
        graph.add(
            "DequantizeLinear",
            graph.input(index),
            graph.input(8 + place),
            graph.input(13 + place),
        )
        if graph.optional(index)
        else ""
        for place, index in enumerate((2, 3, 4, 5, 6))
    ]
    ids = [graph.input(0), _positions(graph, ""), graph.optional(1)]
    _words_of_mask(graph, graph.optional(7))
    _embed(graph, tables[:3], ids, tables[3:])


FUNCTIONS = {
    "SimplifiedLayerNormalization": FunctionDefinition(_rms_norm, "vector"),
    "com.microsoft.SimplifiedLayerNormalization": FunctionDefinition(_rms_norm, "vector"),
    "com.microsoft.SkipLayerNormalization": FunctionDefinition(_skip_layer_norm, "vector"),
    "com.microsoft.SkipSimplifiedLayerNormalization": FunctionDefinition(_skip_rms_norm, "vector"),
    "com.microsoft.EmbedLayerNormalization": FunctionDefinition(
        _embed_layer_norm, "transfers, vector"
    ),
    "com.microsoft.QEmbedLayerNormalization": FunctionDefinition(
        _quantized_embed_layer_norm, "transfers, vector"
    ),
}
"""The functions of this family."""
