"""What an exporter is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from .graph_writer import GraphWriter

ExportFunction: TypeAlias = Callable[[Any, GraphWriter], str]
"""Appends the nodes that an op becomes to the graph, and returns the name of the tensor that is the op's result."""
