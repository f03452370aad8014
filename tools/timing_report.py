"""A simulation's timing as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..backends.simulator.timing import Timing


def format_timing(timing: Timing, costliest: int = 5) -> str:
    """Cycles, time, utilisation, bytes, and the ONNX nodes that cost most cycles."""
    many = timing.repeat > 1
    runs = [f"inferences                 {timing.repeat:>12,}"] if many else []
    steady = [f"cycles of the last one     {timing.steady_cycles:>12,.0f}"] if many else []
    each = ", each inference" if many else ""
    lines = [
        *runs,
        f"cycles                     {timing.cycles:>12,}",
        *steady,
        f"time                       {timing.milliseconds:>12.4f} ms",
        f"matrix unit utilisation    {timing.utilization:>12.2%}",
        f"read from global memory    {timing.bytes_read:>12,} bytes{each}",
        f"written to global memory   {timing.bytes_written:>12,} bytes{each}",
        "costliest ONNX nodes (their part of the critical path, in cycles)",
    ]
    lines += [f"  {cycles:>12,}  {node}" for node, cycles in timing.by_node()[:costliest]]
    return "\n".join(lines)
