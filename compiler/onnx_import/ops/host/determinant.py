"""Imports Det."""

from __future__ import annotations

from collections.abc import Sequence

from ...graph.builder import GraphBuilder
from ...graph.call import call
from ...graph.node import Node
from ...graph.operator import Operator
from ...graph.value import Value


def _det(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    return [call(node, builder, "det", node.input(0))]


OPERATORS = {"Det": Operator(_det, "host")}
"""The ops of this family."""
