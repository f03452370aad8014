"""Shows where the time goes: cycles, utilization, bytes and stalls by ONNX node, op, core and engine.

A row stands for the instructions that agree in the chosen keys. All figures are of one run: with
several repetitions, their average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from ..diagnostics.diagnostic import DiagnosticError, did_you_mean
from ..diagnostics.html_table import html_table, nodes_text
from ..instructions.instruction_set import ENGINES, Fill, Gather, Load, Store
from ..instructions.movement import moved_bytes
from .streams.streams import ENGINE_COUNT
from .timing.costs import TICKS_PER_CYCLE, WORK_PER_BYTE
from .timing.timeline import BUSY, STATE_NAMES
from .timing.timing_result import Timing

Key = Literal["node", "op", "core", "engine"]
KEYS: tuple[Key, ...] = get_args(Key)
CAUSES = STATE_NAMES[:BUSY]
"""What an engine can wait for; `timing_result.EngineUse` explains the names."""


@dataclass
class ProfileRow:
    """The sums over the instructions of a row; a key that was not chosen is None.

    `nodes`: the fused ONNX nodes, or the op's name where no node is known. `critical_path_cycles`:
    the row's part of the critical path; over all rows these add up to the run. `busy_cycles`:
    engine time, summed over engines and cores, which overlap (the stores of a multicast count once).
    `peak_cycles`: what the same work takes at the engine's peak: multiply-accumulates on the whole
    array, vector instructions without their startup, transfers alone at full bandwidth without burst
    rounding. Bytes are of global memory (a multicast reads once), between cores, and read and written
    in local memory and accumulators. `stalled_cycles` by cause: engine time in which one of these instructions was next
    and could not go on, or drained with nothing behind it.
    """

    nodes: tuple[str, ...] | None
    op: str | None
    core: int | None
    engine: str | None
    instructions: int = 0
    critical_path_cycles: float = 0.0
    busy_cycles: float = 0.0
    peak_cycles: float = 0.0
    macs: int = 0
    global_read_bytes: int = 0
    global_written_bytes: int = 0
    interconnect_bytes: int = 0
    local_bytes: int = 0
    accumulator_bytes: int = 0
    stalled_cycles: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CAUSES, 0.0))

    @property
    def utilization(self) -> float | None:
        """`peak_cycles` over `busy_cycles`, None if the engines were never busy."""
        return self.peak_cycles / self.busy_cycles if self.busy_cycles else None


@dataclass(frozen=True, repr=False)
class Profile:
    """The rows of a run of `cycles` cycles, by the keys in `by`, the most expensive row first."""

    program: str
    target: str
    clock_ghz: float
    cycles: float
    by: tuple[Key, ...]
    rows: list[ProfileRow]

    def __repr__(self) -> str:
        by, rows = ", ".join(self.by), len(self.rows)
        return f"<Profile of {self.program!r} by {by}: {rows} rows, {self.cycles:,.0f} cycles on {self.target}>"

    def _repr_html_(self) -> str:
        return _html(self)

    def share(self, row: ProfileRow) -> float:
        """Return a row's part of the critical path, 0 to 1."""
        return row.critical_path_cycles / self.cycles if self.cycles else 0.0

    def table(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries from column names, units in them, to JSON values.

        `nodes` is a list of names; a utilization is None where the engines were never busy.
        """
        return [self._columns(row) for row in self.rows]

    def _columns(self, row: ProfileRow) -> dict[str, Any]:
        keys = {
            "node": ("nodes", list(row.nodes or ())), "op": ("op", row.op),
            "core": ("core", row.core), "engine": ("engine", row.engine),
        }  # fmt: skip
        use = row.utilization
        return {
            **dict(keys[key] for key in self.by),
            "instructions_count": row.instructions,
            "critical_path_cycles": row.critical_path_cycles,
            "share_percent": 100 * self.share(row),
            "busy_cycles": row.busy_cycles,
            "utilization_percent": None if use is None else 100 * use,
            "macs_count": row.macs,
            "global_read_bytes": row.global_read_bytes,
            "global_written_bytes": row.global_written_bytes,
            "interconnect_bytes": row.interconnect_bytes,
            "local_memory_bytes": row.local_bytes,
            "accumulator_bytes": row.accumulator_bytes,
            **{f"stalled_on_{c}_cycles": cycles for c, cycles in row.stalled_cycles.items()},
        }

    def to_json(self) -> dict[str, Any]:
        """Return the table and what it describes, as JSON values."""
        return {
            "program": self.program,
            "target": self.target,
            "clock_ghz": self.clock_ghz,
            "run_cycles": self.cycles,
            "rows": self.table(),
        }


def parse_keys(text: str) -> tuple[Key, ...]:
    """Parse a list of keys such as `node,engine`. Raises DiagnosticError if a word is not a key."""
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in KEYS:
            raise DiagnosticError(
                f"a profile cannot be made by '{word}'",
                hint=did_you_mean(word, KEYS) or f"by one or more of {', '.join(KEYS)}",
            )
    return tuple(key for key in KEYS if key in words)


def profile(timing: Timing, by: Sequence[Key] = KEYS) -> Profile:
    """Return the profile of a run, a row for each combination of the keys in `by` that occurs.

    Instructions that come from several fused ONNX nodes count for these nodes together, as in `Timing.node_costs`.
    """
    streams, history, repeat = timing.streams, timing.history, timing.repeat
    rows: dict[tuple[Any, ...], ProfileRow] = {}
    row_of = [_row(rows, timing, number, by) for number in range(len(streams))]
    busy = history.drain - history.move
    size = len(streams)
    busy[np.tile(streams.follows, repeat)] = 0.0
    for number, row in enumerate(row_of):
        _add_costs(row, timing, number)
        row.busy_cycles += float(busy[number::size].sum()) / repeat
    for number, cycles in timing.critical_path:
        row_of[number].critical_path_cycles += cycles / repeat
    for stall in history.stalls:
        row = row_of[stall.occurrence % size]
        row.stalled_cycles[stall.cause] += (stall.end - stall.start) / repeat
    program = streams.program
    return Profile(
        program.name, program.target.name, timing.clock_ghz,
        timing.ticks / TICKS_PER_CYCLE / repeat, tuple(key for key in KEYS if key in by),
        sorted(rows.values(), key=lambda row: (-row.critical_path_cycles, -row.busy_cycles)),
    )  # fmt: skip


def _row(
    rows: dict[tuple[Any, ...], ProfileRow], timing: Timing, number: int, by: Sequence[Key]
) -> ProfileRow:
    """Return the row of an instruction, and make it if it does not exist yet."""
    streams = timing.streams
    origin = streams.program.origin(streams.fields[number]["debug"])
    nodes = origin.nodes or ((origin.op,) if origin.op else ())
    key = (
        nodes if "node" in by else None,
        origin.op if "op" in by else None,
        streams.core[number] if "core" in by else None,
        ENGINES[streams.engine[number] % ENGINE_COUNT] if "engine" in by else None,
    )
    if key not in rows:
        rows[key] = ProfileRow(*key)
    return rows[key]


def _add_costs(row: ProfileRow, timing: Timing, number: int) -> None:
    costs = timing.costs
    row.instructions += 1
    row.peak_cycles += peak_cycles(timing, number)
    row.macs += int(costs.macs[number])
    row.global_read_bytes += int(costs.global_read[number])
    row.global_written_bytes += int(costs.global_written[number])
    row.interconnect_bytes += int(costs.interconnect_bytes[number])
    row.local_bytes += int(costs.local_bytes[number])
    row.accumulator_bytes += int(costs.acc_bytes[number])


def peak_cycles(timing: Timing, number: int) -> float:
    """Return the cycles that an instruction's work takes at its engine's peak; see `ProfileRow`."""
    streams, costs = timing.streams, timing.costs
    kind, fields = streams.kinds[number], streams.fields[number]
    if streams.follows[number]:
        return 0.0
    if kind in (Load, Store, Gather):
        moved = moved_bytes(fields)
        rate = costs.flow_classes.lone_rate(int(costs.transfer[number]))
        return moved * WORK_PER_BYTE / rate / TICKS_PER_CYCLE
    if kind is Fill:
        return Fill.cycles(fields, streams.program.target)
    cycles = int(costs.ticks[number]) / TICKS_PER_CYCLE
    if kind.engine == "matrix":
        return float(costs.mac_time[number])
    if kind.engine == "vector":
        return max(cycles - streams.program.target.vector.startup_cycles, 0.0)
    return cycles


def _html(profile: Profile) -> str:
    """Return the most expensive rows of a profile; `stalled on` has the cause that took most cycles."""
    titles = [*profile.by, "cycles", "share", "busy", "use", "bytes read", "bytes written", "stalled on"]  # fmt: skip
    rows = [
        [
            *(_cell(row, key) for key in profile.by),
            f"{row.critical_path_cycles:,.0f}",
            f"{profile.share(row):.1%}",
            f"{row.busy_cycles:,.0f}",
            "" if row.utilization is None else f"{row.utilization:.0%}",
            f"{row.global_read_bytes:,}",
            f"{row.global_written_bytes:,}",
            _stall(row),
        ]
        for row in profile.rows
    ]
    caption = f"{profile.program}: {profile.cycles:,.0f} cycles on {profile.target}"
    return html_table(caption, titles, rows, labels=len(profile.by))


def _cell(row: ProfileRow, key: str) -> str:
    return nodes_text(row.nodes or ()) if key == "node" else str(getattr(row, key))


def _stall(row: ProfileRow) -> str:
    cause, cycles = max(row.stalled_cycles.items(), key=lambda item: item[1], default=("", 0.0))
    return f"{cause} {cycles:,.0f}" if cycles else ""
