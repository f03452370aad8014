"""Defines GroupQueryAttention and RotaryEmbedding of ONNX Runtime, as its builders of language models write them."""

from __future__ import annotations

import math

import numpy as np

from ..graph.node import UnsupportedNodeError
from ..graph.value import Constant
from .attention_heads import Sizes, attend, causal_mask, hide, to_heads
from .function_graph import FunctionDefinition, FunctionGraph

_FLAGS = ("sliding_window_cache", "qk_output", "kv_cache_bit_width")
_UNSUPPORTED_INPUTS = {
    12: "scales of quantized keys",
    13: "scales of quantized values",
    14: "a normalization of its queries",
    15: "a normalization of its keys",
    16: "lengths of its queries",
}


def _rotary_embedding(graph: FunctionGraph) -> None:
    """Write RotaryEmbedding, whose positions are one number, where the first word stands, or one for each word."""
    node, shape = graph.node, graph.shape(0)
    if node.integer("is_packed_batching", 0):
        raise UnsupportedNodeError("its sentences are packed")
    batch, length = shape[0], shape[1 if len(shape) == 3 else 2]
    positions = graph.input(1)
    if math.prod(graph.shape(1)) == 1 and graph.shape(1) != (batch, length):
        positions = _counted_from(graph, positions, batch, length)
    heads = node.integer("num_heads", 0)
    if len(shape) == 3 and not heads:
        size = 2 * graph.shape(2)[1]
        if shape[2] % size:
            raise node.error(f"heads of {size} channels do not divide its {shape[2]} channels")
        heads = shape[2] // size
    _rotated(graph, graph.input(0), positions, 2, heads if len(shape) == 3 else 0, to=0)


def _counted_from(graph: FunctionGraph, start: str, batch: int, length: int) -> str:
    """Write [batch, length] the positions start, start + 1, ... of the words of each sentence."""
    steps = graph.constant(np.arange(length)[np.newaxis])
    row = graph.add("Add", graph.reshape(start, 1, 1), steps)
    return graph.add("Expand", row, graph.constant([batch, length]))


def _rotated(
    graph: FunctionGraph, x: str, positions: str, cosine: int, heads: int, to: int | None = None
) -> str:
    """Write a tensor turned by the rows of the caches of cosines, input `cosine`, and sines after it."""
    node = graph.node
    interleaved = node.integer("interleaved", 0) or node.integer("rotary_interleaved", 0)
    turned = node.integer("rotary_embedding_dim", 0) or 2 * graph.shape(cosine)[1]
    caches = graph.input(cosine), graph.input(cosine + 1)
    return graph.add(
        "RotaryEmbedding", x, *caches, positions, to=to,
        interleaved=interleaved, num_heads=heads or None, rotary_embedding_dim=turned,
    )  # fmt: skip


def _parts(graph: FunctionGraph, sizes: Sizes) -> tuple[list[str], int]:
    """Write queries, keys and values as heads, and return them and the size of a head."""
    node, heads, key_heads = graph.node, sizes.heads, sizes.key_heads
    width = graph.shape(0)[2]
    if graph.optional(1):
        operands = [graph.input(0), graph.input(1), graph.input(2)]
        size = width // heads
    else:
        size = width // (heads + 2 * key_heads)
        operands = graph.split(
            graph.input(0), 2, [heads * size, key_heads * size, key_heads * size]
        )
    if width != size * (heads if graph.optional(1) else heads + 2 * key_heads):
        raise node.error(f"its {width} channels are no whole heads")
    counts = (heads, key_heads, key_heads)
    made = [
        to_heads(graph, each, sizes.batch, sizes.length, count)
        for each, count in zip(operands, counts, strict=True)
    ]
    return made, size


def _sizes(graph: FunctionGraph) -> Sizes:
    """Return the sizes of the attention: the number of keys must be known."""
    node = graph.node
    heads, key_heads = node.integer("num_heads", 0), node.integer("kv_num_heads", 0)
    if heads < 1 or key_heads < 1 or heads % key_heads:
        raise node.error(f"{key_heads} heads of keys cannot serve {heads} heads")
    batch, length, _ = graph.shape(0)
    if graph.optional(1) and graph.shape(1)[1] != length:
        raise UnsupportedNodeError("it has other numbers of keys than of queries")
    total = node.constant(6, "total_sequence_length")
    if total is None or total.size != 1:
        raise node.error("its input total_sequence_length must be one number")
    count = int(total.reshape(()))
    before = graph.shape(3)[2] if graph.optional(3) else 0
    if count < length or count > before + length:
        raise node.error(
            f"its total_sequence_length is {count}; it sees {before} keys before and {length} new ones"
        )
    return Sizes(batch, length, count, heads, key_heads, count - length)


def _is_dense(graph: FunctionGraph, sizes: Sizes) -> bool:
    """Return whether all sentences are known to be as long as the longest, or begin here."""
    lengths = graph.node.optional(5)
    if sizes.past == 0:
        return True
    return isinstance(lengths, Constant) and bool((lengths.array == sizes.total - 1).all())


def _group_query_attention(graph: FunctionGraph) -> None:
    """Write the attention: inputs 3 and 4 are keys and values before, 7 and 8 caches of cosines and sines."""
    node = graph.node
    for name in _FLAGS:
        if node.integer(name, 0):
            raise UnsupportedNodeError(f"its attribute {name} is set")
    for index, what in _UNSUPPORTED_INPUTS.items():
        if graph.optional(index):
            raise UnsupportedNodeError(f"it has {what}")
    sizes = _sizes(graph)
    (query, key, value), size = _parts(graph, sizes)
    first = "" if _is_dense(graph, sizes) else _first_positions(graph, sizes)
    if node.integer("do_rotary", 0):
        positions = _given_positions(graph, sizes) or _positions(graph, sizes, first)
        query, key = (_rotated(graph, each, positions, 7, 0) for each in (query, key))
    key, value = _present(graph, sizes, [key, value], first)
    window = node.integer("local_window_size", -1)
    masks = [graph.optional(10)]
    if node.integer("causal", 1):
        masks.append(_causal(graph, sizes, window, first))
    attend(
        graph, query, key, value, sizes,
        node.real("scale", 0.0) or 1 / math.sqrt(size), masks,
        node.real("softcap", 0.0), _sink(graph, sizes),
    )  # fmt: skip


def _sink(graph: FunctionGraph, sizes: Sizes) -> str:
    if graph.optional(11):
        return graph.input(11)
    if graph.node.integer("smooth_softmax", 0):
        return graph.constant(np.zeros(sizes.heads), graph.node.float_dtype)
    return ""


def _first_positions(graph: FunctionGraph, sizes: Sizes) -> str:
    """Write [batch] the position of the first new word of each sentence, i64: seqlens_k says where the last one is."""
    lengths = graph.cast(graph.reshape(graph.input(5), sizes.batch), np.int64)
    return graph.add("Sub", lengths, graph.constant(sizes.length - 1))


def _given_positions(graph: FunctionGraph, sizes: Sizes) -> str:
    """Return input 9, [batch, length] the positions of the new words, or "" without one.

    Where all sentences begin, its first element alone counts, in ONNX Runtime too: words follow one another from there.
    """
    if not graph.optional(9):
        return ""
    if graph.shape(9) != (sizes.batch, sizes.length):
        raise graph.node.error(
            f"its position_ids must be {sizes.batch} x {sizes.length}, they are "
            + " x ".join(map(str, graph.shape(9)))
        )
    if sizes.past:
        return graph.input(9)
    count = sizes.batch * sizes.length
    start = graph.slice(graph.reshape(graph.input(9), count), 0, 0, 1)
    return _counted_from(graph, start, sizes.batch, sizes.length)


def _positions(graph: FunctionGraph, sizes: Sizes, first: str) -> str:
    """Write [batch, length] the positions of the new words."""
    steps = np.arange(sizes.length)[np.newaxis]
    if not first:
        return graph.constant(np.repeat(steps + sizes.past, sizes.batch, 0))
    return graph.add("Add", graph.reshape(first, sizes.batch, 1), graph.constant(steps))


def _present(graph: FunctionGraph, sizes: Sizes, pair: list[str], first: str) -> list[str]:
    """Write keys and values of all words, and outputs 1 and 2 that hold them: new ones behind those before, or where
    the sentences end. Inputs 3 and 4 with room for more words than there are keep it, as buffers do.
    """
    if graph.optional(3) and graph.shape(3)[2] > sizes.total:
        return [_in_buffer(graph, sizes, index, each, first) for index, each in enumerate(pair, 1)]
    if not sizes.past and not graph.optional(3):
        for index, each in enumerate(pair, 1):
            if graph.node.uses_output(index):
                graph.add("Identity", each, to=index)
        return pair
    made = []
    for index, each in enumerate(pair, 1):
        old = graph.input(2 + index)
        if sizes.past != graph.shape(3)[2]:
            old = graph.slice(old, 2, 0, sizes.past)
        if not first:
            made.append(graph.add("Concat", old, each, axis=2, to=index))
            continue
        room = graph.add("Concat", old, each, axis=2)
        made.append(graph.add("TensorScatter", room, each, first, axis=2, to=index))
    return made


def _in_buffer(graph: FunctionGraph, sizes: Sizes, index: int, new: str, first: str) -> str:
    """Write output `index`, the buffer at input 2 + `index` with the new words in it, and return the words so far."""
    buffer, room = graph.input(2 + index), graph.shape(2 + index)[2]
    if first:
        whole = graph.add("TensorScatter", buffer, new, first, axis=2, to=index)
        return graph.slice(whole, 2, 0, sizes.total)
    parts = [graph.slice(buffer, 2, 0, sizes.past)] if sizes.past else []
    seen = graph.add("Concat", *parts, new, axis=2)
    graph.add("Concat", seen, graph.slice(buffer, 2, sizes.total, room), axis=2, to=index)
    return seen


def _causal(graph: FunctionGraph, sizes: Sizes, window: int, first: str) -> str:
    """Write the addend that hides later words, and all but the last `window`."""
    if not first:
        return causal_mask(graph, sizes, window)
    keys = graph.constant(np.arange(sizes.total), np.float32)
    positions = graph.cast(_positions(graph, sizes, first), np.float32)
    rows = graph.reshape(positions, sizes.batch, 1, sizes.length, 1)
    seen = graph.add("LessOrEqual", keys, rows)
    if window >= 0:
        before = graph.add("Sub", rows, graph.constant(window, np.float32))
        seen = graph.add("And", seen, graph.add("Greater", keys, before))
    return hide(graph, seen, -math.inf)


FUNCTIONS = {
    "com.microsoft.RotaryEmbedding": FunctionDefinition(_rotary_embedding, "vector"),
    "com.microsoft.GroupQueryAttention": FunctionDefinition(
        _group_query_attention, "matrix, vector"
    ),
}
"""The functions of this family."""
