"""Shows what changed between two programs, per ONNX node: instructions, bytes and cycles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...backends.diagnostics.html_table import html_table, nodes_text

if TYPE_CHECKING:
    from ...backends.program.program import Program
    from ...backends.simulator.timing.timing_result import NodeCost, Timing

Nodes = tuple[str, ...]


@dataclass(frozen=True)
class NodeFigures:
    """What some ONNX nodes cost in one program: instructions, bytes of global memory, cycles of the critical path."""

    instructions: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    cycles: float = 0.0

    def __add__(self, other: NodeFigures) -> NodeFigures:
        return NodeFigures(
            self.instructions + other.instructions,
            self.bytes_read + other.bytes_read,
            self.bytes_written + other.bytes_written,
            self.cycles + other.cycles,
        )


@dataclass(frozen=True)
class NodeDifference:
    """The nodes of a row and their figures in both programs; None for a program that has none of the nodes."""

    nodes: Nodes
    before: NodeFigures | None
    after: NodeFigures | None

    @property
    def changed(self) -> bool:
        """Whether any figure differs."""
        return self.before != self.after

    @property
    def cycles(self) -> float:
        """How many more cycles the nodes take in the second program (negative if fewer)."""
        return (self.after or NodeFigures()).cycles - (self.before or NodeFigures()).cycles


@dataclass(frozen=True, repr=False)
class ProgramDifference:
    """The nodes of two programs, sorted by the difference in cycles, largest first; and the cycles and clocks of
    both.
    """

    names: tuple[str, str]
    targets: tuple[str, str]
    milliseconds: tuple[float, float]
    nodes: list[NodeDifference]

    def __repr__(self) -> str:
        changed = sum(row.changed for row in self.nodes)
        return (
            f"<ProgramDifference of {' and '.join(map(repr, self.names))}: {changed} of {len(self.nodes)} nodes "
            f"differ, {self.total.cycles:+,.0f} cycles>"
        )

    def _repr_html_(self) -> str:
        rows = [
            [nodes_text(row.nodes), *(_cycles(side) for side in (row.before, row.after)), f"{row.cycles:+,.0f}"]
            for row in [self.total, *(row for row in self.nodes if row.changed)]
        ]  # fmt: skip
        titles = ["node", *(f"cycles {name}" for name in self.names), "difference"]
        return html_table("critical path, largest difference first", titles, rows)

    @property
    def total(self) -> NodeDifference:
        """The sums over all nodes, "(all)"."""
        none = NodeFigures()
        return NodeDifference(
            ("(all)",),
            sum((row.before or none for row in self.nodes), none),
            sum((row.after or none for row in self.nodes), none),
        )

    def table(self) -> list[dict[str, Any]]:
        """Return a dictionary per row from column names, units in them, to JSON values.

        A figure is None in a program that has none of the nodes.
        """
        figures = {
            "instructions_count": "instructions", "global_read_bytes": "bytes_read",
            "global_written_bytes": "bytes_written", "critical_path_cycles": "cycles",
        }  # fmt: skip
        return [
            {"nodes": list(row.nodes), "changed": row.changed}
            | {
                f"{side}_{column}": None if of is None else getattr(of, name)
                for column, name in figures.items()
                for side, of in (("before", row.before), ("after", row.after))
            }
            for row in self.nodes
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the table and what it describes, as JSON values."""
        return {
            "programs": list(self.names),
            "targets": list(self.targets),
            "milliseconds": list(self.milliseconds),
            "rows": self.table(),
        }


def _cycles(figures: NodeFigures | None) -> str:
    return "" if figures is None else f"{figures.cycles:,.0f}"


def compare_programs(
    before: Program, after: Program, names: tuple[str, str] = ("before", "after")
) -> ProgramDifference:
    """Time both programs, one run from cold each on its own target, and set their ONNX nodes side by side.

    Nodes that either program has fused share a row, since their cost cannot be divided. Raises DiagnosticError if a
    program cannot be simulated.
    """
    sides = [_timed(before), _timed(after)]
    figures = [_figures(timing) for timing in sides]
    rows = [
        NodeDifference(nodes, *(_sum(side, nodes) for side in figures))
        for nodes in _fused_together(nodes for side in figures for nodes in side)
    ]
    rows.sort(key=lambda row: (-abs(row.cycles), not row.changed))
    return ProgramDifference(
        names,
        (before.target.name, after.target.name),
        (sides[0].milliseconds, sides[1].milliseconds),
        rows,
    )


def _timed(program: Program) -> Timing:
    from ...backends.simulator.simulate import simulate

    timing = simulate(program, None, mode="timing").timing
    assert timing is not None
    return timing


def _figures(timing: Timing) -> dict[Nodes, NodeFigures]:
    def figures(cost: NodeCost) -> NodeFigures:
        return NodeFigures(cost.instructions, cost.bytes_read, cost.bytes_written, cost.cycles)

    return {
        cost.nodes or (key or "(no node)",): figures(cost)
        for key, cost in timing.node_costs().items()
    }


def _sum(side: Mapping[Nodes, NodeFigures], nodes: Nodes) -> NodeFigures | None:
    """Add up the figures of all entries whose nodes are among `nodes`; None if there are no such entries."""
    among = set(nodes)
    found = [figures for fused, figures in side.items() if among.issuperset(fused)]
    return sum(found, NodeFigures()) if found else None


def _fused_together(groups: Iterable[Nodes]) -> list[Nodes]:
    """Join groups until none shares a node with another, and return them in the order of their first nodes."""
    joined: dict[str, str] = {}

    def root(node: str) -> str:
        while joined.setdefault(node, node) != node:
            joined[node] = joined[joined[node]]
            node = joined[node]
        return node

    for group in groups:
        for node in group:
            joined[root(node)] = root(group[0])
    result: dict[str, Nodes] = {}
    for node in list(joined):
        key = root(node)
        result[key] = (*result.get(key, ()), node)
    return list(result.values())
