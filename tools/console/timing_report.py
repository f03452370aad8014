"""The timing and the profile of a simulation, as text."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from .tables import format_table, node_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...backends.program.lower_bound import LowerBound
    from ...backends.simulator.profile import Profile, ProfileRow
    from ...backends.simulator.timing.timing_result import Timing

NODE_WIDTH = 76
"""Characters of a node's name at the end of a line."""


def format_timing(timing: Timing, costliest: int = 5) -> str:
    """Return cycles, time, utilization, bytes, and the ONNX nodes that cost most cycles."""
    many = timing.repeat > 1
    runs = [f"inferences                 {timing.repeat:>12,}"] if many else []
    steady = [f"cycles of the last one     {timing.steady_cycles:>12,.0f}"] if many else []
    hosts = [f"host calls                 {timing.host_calls:>12,}"] if timing.host_calls else []
    each = ", each inference" if many else ""
    if len(timing.parts) > 1:
        each = ", one inference of each instance"
    least = timing.streams.program.lower_bound
    bound = [_bound_line(least, timing.cycles)] if least is not None and not many else []
    lines = [
        *runs,
        *_instance_lines(timing),
        f"cycles                     {timing.cycles:>12,}",
        *bound,
        *steady,
        f"time                       {timing.milliseconds:>12.4f} ms",
        f"matrix unit utilization    {timing.utilization:>12.2%}",
        f"read from global memory    {timing.bytes_read:>12,} bytes{each}",
        f"written to global memory   {timing.bytes_written:>12,} bytes{each}",
        *hosts,
        "costliest ONNX nodes (their part of the critical path, in cycles)",
    ]
    for key, cost in list(timing.node_costs().items())[:costliest]:
        lines.append(f"  {round(cost.cycles):>12,}  {format_nodes(cost.nodes or (key,))}")
    return "\n".join(lines)


def _instance_lines(timing: Timing) -> list[str]:
    """Return how many programs run beside each other, and how many runs they end in a second together."""
    parts = timing.parts
    if len(parts) == 1:
        return []
    per_second = sum(timing.clock_ghz * 1e9 / part.steady_cycles for part in parts)
    return [
        f"instances                  {len(parts):>12,}",
        f"runs of all in a second    {per_second:>12,.0f}",
    ]


def _bound_line(bound: LowerBound, cycles: int) -> str:
    """Return the least cycles of any schedule, and how far the run is from them."""
    return f"lower bound                {bound.cycles:>12,} by {bound.resource}: this is {bound.times(cycles)} as many"


def format_nodes(nodes: Sequence[str]) -> str:
    """Return fused ONNX nodes as the end of a line: the first one's name and how many more."""
    return node_label(tuple(name for name in nodes if name), NODE_WIDTH)


def format_profile(profile: Profile) -> str:
    """Return the rows of a profile as a table of at most a hundred columns.

    The most expensive rows come first, or the rows are in the order of the machine.

    `cycles` and `share` are of the critical path, `busy` is engine time, `use` its part at the engine's peak,
    `stalled on` names the largest causes. Bytes are of global memory.
    """
    named = "node" in profile.by or "op" in profile.by
    rows = [
        [
            *(_key(row, key) for key in profile.by),
            f"{row.critical_path_cycles:,.0f}",
            f"{profile.share(row):.1%}",
            f"{row.busy_cycles:,.0f}",
            "" if row.utilization is None else f"{row.utilization:.0%}",
            short_bytes(row.global_read_bytes),
            short_bytes(row.global_written_bytes),
            _stalls(row, 1 if named else 3),
        ]
        for row in (profile.rows if named else sorted(profile.rows, key=_place))
    ]
    heading = f"by {', '.join(profile.by)}: {ceil(profile.cycles):,} cycles on {profile.target}"
    columns = [*profile.by, "cycles", "share", "busy", "use", "read", "written", "stalled on"]
    return "\n".join([heading, *format_table(columns, rows, left=len(profile.by))])


def _key(row: ProfileRow, key: str) -> str | tuple[str, ...]:
    if key == "node":
        return row.nodes or ()
    return str({"op": row.op, "core": row.core, "engine": row.engine}[key])


def _place(row: ProfileRow) -> tuple[int, int]:
    """Return a row's core and engine, to sort rows in the order of the machine."""
    from ...backends.instructions.instruction_set import ENGINES

    engine: tuple[str, ...] = ENGINES
    return row.core or 0, engine.index(row.engine) if row.engine else 0


def _stalls(row: ProfileRow, count: int) -> str:
    """Return the largest stalls with their cycles: `matrix 1,234, latency 56`."""
    largest = sorted(row.stalled_cycles.items(), key=lambda item: -item[1])[:count]
    return ", ".join(f"{cause} {cycles:,.0f}" for cause, cycles in largest if cycles)


def short_bytes(size: int) -> str:
    """Return a number of bytes in at most seven characters: `512 B`, `11.9 kB`, `1.2 MB`; a kB has 1000."""
    if size < 1000:
        return f"{size} B"
    value, units = size / 1000, ["kB", "MB", "GB", "TB"]
    while value >= 999.95 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.1f} {units[0]}" if value < 99.95 else f"{value:.0f} {units[0]}"
