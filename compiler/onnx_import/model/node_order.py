"""Brings the nodes of a graph into topological order.

ONNX demands it, but ONNX Runtime does not mind, and its own float16 converter puts the casts of inputs
at the end.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto


def in_topological_order(model: ModelProto) -> ModelProto:
    """The model, or a copy with its nodes in order where one stands before another that it needs.

    Nodes keep their order where they can. A graph with a cycle stays as it is: the checker refuses
    it.
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
    """The nodes' indices in topological order (Kahn's algorithm, the first node that is ready
    next), None where there is a cycle.
    """
    makers = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    needed = [{makers[name] for name in node.input if name in makers} for node in graph.node]
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
