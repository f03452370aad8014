"""Defines Attention, QAttention and MultiHeadAttention of ONNX Runtime: the projections, biases and masks that stand
around products of heads.
"""

from __future__ import annotations

import math

from ..graph.node import UnsupportedNodeError
from .attention_heads import Sizes, attend, causal_mask, padding_mask, to_heads
from .function_graph import FunctionDefinition, FunctionGraph

_FILTER = -10000.0
"""What is added to the scores of hidden keys unless the node says otherwise."""


def _scale(graph: FunctionGraph, size: int) -> float:
    return graph.node.real("scale", 0.0) or 1 / math.sqrt(size)


def _heads(graph: FunctionGraph) -> int:
    heads = graph.node.integer("num_heads", 0)
    if heads < 1:
        raise graph.node.error(f"its attribute num_heads is {heads}; it must be 1 or more")
    return heads


def _masks(graph: FunctionGraph, index: int, sizes: Sizes) -> list[str]:
    """Write the addends of the mask at input `index`, if it is there, and of the attribute unidirectional."""
    value = graph.node.real("mask_filter_value", _FILTER)
    made = []
    if graph.optional(index):
        made.append(padding_mask(graph, index, sizes, value))
    if graph.node.integer("unidirectional", 0):
        made.append(causal_mask(graph, sizes))
    return made


def _refuse_flags(graph: FunctionGraph, *names: str) -> None:
    for name in names:
        if graph.node.integer(name, 0):
            raise UnsupportedNodeError(f"its attribute {name} is set")


def _self_attention(
    graph: FunctionGraph,
    projected: str,
    columns: int,
    mask: int,
    past: int,
    bias: str,
) -> None:
    """Write the attention of queries, keys and values that lie side by side in `projected` [batch, length, columns];
    `mask` and `past` are the inputs of the mask and of the keys and values of the calls before.
    """
    _refuse_flags(graph, "past_present_share_buffer", "do_rotary")
    node, heads = graph.node, _heads(graph)
    batch, length, _ = graph.shape(0)
    widths = node.integers("qkv_hidden_sizes") or [columns // 3] * 3
    if sum(widths) != columns or len(widths) != 3 or any(width % heads for width in widths):
        raise node.error(f"{heads} heads of {widths} channels do not make {columns} columns")
    parts = graph.split(projected, 2, widths)
    query, key, value = (to_heads(graph, each, batch, length, heads) for each in parts)
    before = graph.shape(past)[3] if graph.optional(past) else 0
    sizes = Sizes(batch, length, before + length, heads, heads, before)
    pair = [key, value]
    if before or graph.optional(past):
        halves = graph.split(graph.input(past), 0, [1, 1])
        old = [graph.add("Squeeze", half, graph.constant([0])) for half in halves]
        pair = [graph.add("Concat", *each, axis=2) for each in zip(old, (key, value), strict=True)]
    if node.uses_output(1):
        axis = graph.constant([0])
        graph.add("Concat", *(graph.add("Unsqueeze", each, axis) for each in pair), to=1, axis=0)
    masks = [*_masks(graph, mask, sizes), bias]
    attend(graph, query, pair[0], pair[1], sizes, _scale(graph, widths[0] // heads), masks)


def _attention(graph: FunctionGraph) -> None:
    """Write the attention of x · weights + bias."""
    product = graph.add("MatMul", graph.input(0), graph.input(1))
    projected = graph.add_given(product, graph.optional(2))
    if graph.optional(6):
        raise UnsupportedNodeError("it shares the buffer of its past and present")
    _self_attention(graph, projected, graph.shape(1)[1], 3, 4, graph.optional(5))


def _quantized_attention(graph: FunctionGraph) -> None:
    """Write the attention of integers: inputs 3 and 4 are scales of x and of the weights, 6 and 7 zero points."""
    x = graph.add("DequantizeLinear", graph.input(0), graph.input(3), graph.optional(6))
    weights = graph.add(
        "DequantizeLinear", graph.input(1), graph.input(4), graph.optional(7), axis=1
    )
    product = graph.add("MatMul", x, weights)
    projected = graph.add_given(product, graph.input(2))
    _self_attention(graph, projected, graph.shape(1)[1], 5, 8, "")


def _packed(graph: FunctionGraph, index: int, count: int) -> list[str]:
    """Write the `count` tensors [batch, heads, length, size] that are packed in [batch, length, heads, count, size]."""
    parts = graph.split(graph.input(index), 3, [1] * count)
    squeezed = (graph.add("Squeeze", part, graph.constant([3])) for part in parts)
    return [graph.transpose(each, 0, 2, 1, 3) for each in squeezed]


def _operands(graph: FunctionGraph, heads: int) -> tuple[list[str], int, int]:
    """Write queries, keys and values as heads; return them, the number of keys and the size of a head."""
    batch, length = graph.shape(0)[:2]
    if len(graph.shape(0)) == 5:
        if graph.optional(3):
            raise UnsupportedNodeError("its queries, keys and values are packed, and it has a bias")
        return _packed(graph, 0, 3), length, graph.shape(0)[4]
    width = graph.shape(0)[2]
    if width % heads:
        raise graph.node.error(f"{heads} heads do not divide its {width} channels")
    names = [graph.input(0), graph.input(1), graph.optional(2)]
    keys = graph.shape(1)
    if len(keys) == 4:
        if graph.optional(3):
            biases = _biases(graph, [width])
            names[0] = graph.add("Add", names[0], biases[0])
        query = to_heads(graph, names[0], batch, length, heads)
        return [query, *names[1:]], keys[2], width // heads
    if len(keys) == 5:
        if graph.optional(3):
            raise UnsupportedNodeError("its keys and values are packed, and it has a bias")
        query = to_heads(graph, names[0], batch, length, heads)
        return [query, *_packed(graph, 1, 2)], keys[1], width // heads
    if graph.optional(3):
        biases = _biases(graph, [width, width, graph.shape(2)[2]])
        names = [graph.add("Add", *each) for each in zip(names, biases, strict=True)]
    made = [to_heads(graph, names[0], batch, length, heads)]
    made += [to_heads(graph, each, batch, keys[1], heads) for each in names[1:]]
    return made, keys[1], width // heads


def _biases(graph: FunctionGraph, widths: list[int]) -> list[str]:
    """Write the biases of the first operands; what follows them in the input is not read."""
    rest = graph.shape(3)[0] - sum(widths)
    if rest < 0:
        raise graph.node.error(
            f"its bias has {graph.shape(3)[0]} numbers, {sum(widths)} are needed"
        )
    return graph.split(graph.input(3), 0, [*widths, rest] if rest else widths)[: len(widths)]


def _multi_head_attention(graph: FunctionGraph) -> None:
    """Write the attention of given queries, keys and values: inputs 4 and 5 are masks, 6 and 7 those before."""
    node, heads = graph.node, _heads(graph)
    if graph.optional(8) or graph.optional(9):
        raise UnsupportedNodeError("it shares the buffer of its past and present")
    if node.uses_output(3):
        raise UnsupportedNodeError("its output of scores is used")
    (query, *pair), count, size = _operands(graph, heads)
    before = 0
    if graph.optional(6):
        before = graph.shape(6)[2]
        pair = [
            graph.add("Concat", graph.input(index), each, axis=2, to=index - 5)
            for index, each in zip((6, 7), pair, strict=True)
        ]
    else:
        for index, each in enumerate(pair, 1):
            if node.uses_output(index):
                graph.add("Identity", each, to=index)
    batch, length = graph.shape(0)[:2]
    sizes = Sizes(batch, length, before + count, heads, heads, before)
    masks = [*_masks(graph, 4, sizes), graph.optional(5)]
    attend(graph, query, pair[0], pair[1], sizes, _scale(graph, size), masks)


_ENGINES = "matrix, vector"

FUNCTIONS = {
    "com.microsoft.Attention": FunctionDefinition(_attention, _ENGINES),
    "com.microsoft.QAttention": FunctionDefinition(_quantized_attention, _ENGINES),
    "com.microsoft.MultiHeadAttention": FunctionDefinition(_multi_head_attention, _ENGINES),
}
"""The functions of this family."""
