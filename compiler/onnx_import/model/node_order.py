"""Brings the nodes of a graph into topological order.

ONNX demands this order. ONNX Runtime accepts any, and its own float16 converter puts the casts of inputs at the end.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from .subgraphs import captured

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto


def in_topological_order(model: ModelProto) -> ModelProto:
    """Return the model, or a copy with its nodes in order if one stands before another whose output it reads.

    Nodes keep their order as far as possible. A graph with a cycle stays as it is: the checker refuses it.
    """
    import onnx

    order = _order(model.graph)
    if order is None or order == sorted(order):
        return model
    ordered = onnx.ModelProto()
    ordered.CopyFrom(model)
    del ordered.graph.node[:]
    ordered.graph.node.extend(model.graph.node[index] for index in order)
    return ordered


def _order(graph: GraphProto) -> list[int] | None:
    """Return the nodes' indices in topological order (Kahn's algorithm; of the nodes that are ready, the first comes
    next), or None if there is a cycle.
    """
    makers = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    needed = [
        {makers[name] for name in (*node.input, *captured(node)) if name in makers}
        for node in graph.node
    ]
    users: list[list[int]] = [[] for _ in graph.node]
    for index, others in enumerate(needed):
        for other in others:
            users[other].append(index)
    missing = [len(others) for others in needed]
    ready = [index for index, count in enumerate(missing) if not count]
    heapify(ready)
    order: list[int] = []
    while ready:
        index = heappop(ready)
        order.append(index)
        for user in users[index]:
            missing[user] -= 1
            if not missing[user]:
                heappush(ready, user)
    return order if len(order) == len(needed) else None
