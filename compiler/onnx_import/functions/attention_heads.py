"""What the attentions of ONNX Runtime have in common: heads, masks, softmax, products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..graph.node import UnsupportedNodeError
from .function_graph import FunctionGraph


@dataclass(frozen=True)
class Sizes:
    """The sizes of one attention: `length` queries of each sentence of the batch see `total` keys.

    `past` keys come from the calls before; each key head serves heads/key_heads heads.
    """

    batch: int
    length: int
    total: int
    heads: int
    key_heads: int
    past: int = 0


def to_heads(graph: FunctionGraph, tensor: str, batch: int, length: int, heads: int) -> str:
    """Write [batch, length, heads · size] as [batch, heads, length, size]."""
    return graph.transpose(graph.reshape(tensor, batch, length, heads, -1), 0, 2, 1, 3)


def causal_mask(graph: FunctionGraph, sizes: Sizes, window: int = -1) -> str:
    """Write the addend [1, 1, length, total] that hides from each query the keys after it, and all but the last
    `window` keys up to it unless that is negative.
    """
    queries = np.arange(sizes.length)[:, np.newaxis] + sizes.past
    keys = np.arange(sizes.total)
    hidden = keys > queries
    if window >= 0:
        hidden |= keys <= queries - window
    return graph.constant(
        np.where(hidden, -np.inf, 0.0)[np.newaxis, np.newaxis], graph.node.float_dtype
    )


def hide(graph: FunctionGraph, seen: str, value: float) -> str:
    """Write the addend that is 0 where `seen` is true, and `value` elsewhere."""
    dtype = graph.node.float_dtype
    return graph.add("Where", seen, graph.constant(0, dtype), graph.constant(value, dtype))


def padding_mask(graph: FunctionGraph, index: int, sizes: Sizes, value: float) -> str:
    """Write the addend of the mask at input `index`, which says what each query sees: [batch, total] or [batch, length,
    total], more than 0 where a key is seen; or [batch], the number of keys.

    Raises UnsupportedNodeError for masks of other shapes.
    """
    mask, shape = graph.input(index), graph.shape(index)
    batch, length, total = sizes.batch, sizes.length, sizes.total
    numbers = graph.cast(mask, np.float32)
    if shape == (3 * batch + 2,):
        numbers, shape = graph.slice(numbers, 0, 0, batch), (batch,)
    if shape in ((batch,), (2 * batch,)):
        keys = graph.constant(np.arange(total), np.float32)
        ends, *starts = graph.split(numbers, 0, [batch] * (shape[0] // batch))
        seen = graph.add("Less", keys, graph.reshape(ends, batch, 1, 1, 1))
        for start in starts:
            is_after = graph.add("GreaterOrEqual", keys, graph.reshape(start, batch, 1, 1, 1))
            seen = graph.add("And", seen, is_after)
        return hide(graph, seen, value)
    if shape not in ((batch, total), (batch, length, total)):
        raise UnsupportedNodeError(
            f"its mask has shape {list(shape)}; {[batch]}, {[2 * batch]}, {[3 * batch + 2]}, {[batch, total]} "
            f"and {[batch, length, total]} are supported"
        )
    seen = graph.add("Greater", numbers, graph.constant(0, np.float32))
    rows = length if len(shape) == 3 else 1
    return hide(graph, graph.reshape(seen, batch, 1, rows, total), value)


def attend(
    graph: FunctionGraph,
    query: str,
    key: str,
    value: str,
    sizes: Sizes,
    scale: float,
    masks: Sequence[str] = (),
    softcap: float = 0.0,
    sink: str = "",
) -> None:
    """Write output 0, softmax(scale · Q · Kᵀ + masks) · V of each head: [batch, length, heads · size].

    Args:
        graph: the function.
        query: [batch, heads, length, size].
        key: [batch, key heads, total, size].
        value: [batch, key heads, total, value size].
        sizes: the sizes.
        scale: the factor of the scores.
        masks: addends of the scores; "" are left out.
        softcap: bounds the scores to ± this if it is not 0, before the masks.
        sink: [heads] scores of a key without a value, or "".
    """
    batch, length, total, heads = sizes.batch, sizes.length, sizes.total, sizes.heads
    dtype = graph.node.float_dtype
    is_grouped = sizes.key_heads != heads
    rows = heads // sizes.key_heads * length
    if is_grouped:
        query = graph.reshape(query, batch, sizes.key_heads, rows, -1)
    scores = graph.add("MatMul", query, graph.transpose(key, 0, 1, 3, 2))
    scores = graph.add("Mul", scores, graph.constant(scale, dtype))
    if is_grouped:
        scores = graph.reshape(scores, batch, heads, length, total)
    if softcap:
        cap = graph.constant(softcap, dtype)
        scores = graph.add("Mul", graph.add("Tanh", graph.add("Div", scores, cap)), cap)
    scores = graph.add_given(scores, *masks)
    if sink:
        column = graph.reshape(sink, 1, heads, 1, 1)
        shape = graph.constant([batch, heads, length, 1])
        scores = graph.add("Concat", scores, graph.add("Expand", column, shape), axis=3)
    weights = graph.add("Softmax", scores, axis=-1)
    if sink:
        weights = graph.slice(weights, 3, 0, total)
    if is_grouped:
        weights = graph.reshape(weights, batch, sizes.key_heads, rows, total)
    result = graph.add("MatMul", weights, value)
    if is_grouped:
        result = graph.reshape(result, batch, heads, length, -1)
    graph.reshape(graph.transpose(result, 0, 2, 1, 3), batch, length, -1, to=0)
