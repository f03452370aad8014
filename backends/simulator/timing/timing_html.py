"""What a notebook shows of a timing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...diagnostics.html_table import html_table, nodes_text

if TYPE_CHECKING:
    from .timing_result import Timing


def timing_html(timing: Timing) -> str:
    """Return the figures of a run, and the ONNX nodes that take most cycles of its critical path."""
    figures = [
        ["cycles", f"{timing.cycles:,}"],
        ["time", f"{timing.milliseconds:.4f} ms"],
        ["matrix unit utilization", f"{timing.utilization:.2%}"],
        ["read from global memory", f"{timing.bytes_read:,} bytes"],
        ["written to global memory", f"{timing.bytes_written:,} bytes"],
    ]
    nodes = [
        [nodes_text(cost.nodes or (key,)), f"{cost.cycles:,.0f}"]
        for key, cost in timing.node_costs().items()
    ]
    program = timing.streams.program
    caption = f"{program.name} on {program.target.name}"
    return html_table(caption, ["", ""], figures) + html_table(
        "by ONNX node", ["node", "cycles"], nodes
    )
