"""How an op of ONNX is imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .builder import GraphBuilder
from .node import Node
from .value import Value

ImportFunction: TypeAlias = Callable[[Node, GraphBuilder], Sequence[Value | None]]
"""Emits the top ops of a node and returns its outputs; None stands for an output that nobody may use."""


@dataclass(frozen=True)
class Operator:
    """How one op of ONNX is imported, and where it will mostly run (for `smalti ops`)."""

    lower: ImportFunction
    engine: str
