"""Draws what ran when as a picture: a lane for each engine of each core, colored by layer, over an axis of cycles.

The picture is SVG. A bar is an instruction while its engine works on it (of a DMA engine: while data move), thin gray
lines are times in which an engine waits, and what is nothing has come to its end. Pointing at a bar or line tells what
it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ..diagnostics.diagnostic import DiagnosticError
from ..instructions.instruction_set import ENGINES
from .streams.streams import ENGINE_COUNT
from .timing.timing_result import Timing

_WIDTH = 960
_LEFT = 104
"""Pixels to the left of the lanes, for their names."""
_LANE = 11
_CORE_GAP = 9
_LEGEND_LINE = 18
_LETTER = 6.7
"""The width of a letter of the legend, in an 11-pixel monospaced font."""
_LONGEST_NAME = 40
_MOST_TICKS = 12
_MOST_INSTRUCTIONS = 20_000
_GRAY = "#8b949e"
_COLORS = (
    "#2c6494", "#c2652a", "#2a7a5c", "#9b3d6e", "#8a6d1f", "#5a4fa3", "#1f7484", "#a23b3b",
    "#5f7d2e", "#4a5a8c",
)  # fmt: skip


@dataclass(frozen=True)
class _Scale:
    """Turns cycles into pixels from the left."""

    cycles: float

    def __call__(self, cycles: float) -> float:
        return round(_LEFT + cycles * (_WIDTH - _LEFT - 8) / max(self.cycles, 1), 2)


def timeline_picture(timing: Timing) -> str:
    """Return the picture of a run, with all its repetitions, as SVG text.

    Raises DiagnosticError if there are too many instructions for a picture.
    """
    streams = timing.streams
    count = len(streams) * timing.repeat
    if count > _MOST_INSTRUCTIONS:
        raise DiagnosticError(
            f"a picture of {count:,} instructions would be too large, the limit is {_MOST_INSTRUCTIONS:,}",
            hint="write a trace for Perfetto with --trace in its place",
        )
    colors = _colors(timing)
    cores = sorted(set(streams.core))
    legend = _legend(colors)
    top = 12 + _LEGEND_LINE * (1 + max((line for line, *_ in legend), default=0))
    tops = {core: top + row * (_LANE * ENGINE_COUNT + _CORE_GAP) for row, core in enumerate(cores)}
    bottom = top + len(cores) * (_LANE * ENGINE_COUNT + _CORE_GAP)
    scale = _Scale(float(timing.cycles))
    height, title = bottom + 34, _title(timing)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" role="img" aria-label="{escape(title)}">',
        "<style>text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:11px;"
        f"fill:{_GRAY}}}</style>",
        *(_legend_entry(*entry) for entry in legend),
        *_axis(scale, top, bottom),
        *_lanes(tops),
        *_stalls(timing, tops, scale),
        *_bars(timing, tops, scale, colors),
        "</svg>\n",
    ])  # fmt: skip


def _title(timing: Timing) -> str:
    program = timing.streams.program
    return f"{program.name} on {program.target.name}: {timing.cycles:,} cycles"


def _origin(timing: Timing, number: int) -> str:
    """Return the name of the layer that an instruction is part of; "" if it is not known."""
    streams = timing.streams
    return streams.program.origin(streams.fields[number]["debug"]).op


def _colors(timing: Timing) -> dict[str, str]:
    """Return the color of each layer, in the order in which layers begin."""
    order = timing.history.move[: len(timing.streams)].argsort(kind="stable").tolist()
    names = dict.fromkeys(_origin(timing, number) for number in order)
    return {name: _COLORS[number % len(_COLORS)] for number, name in enumerate(names)}


def _legend(colors: dict[str, str]) -> list[tuple[int, float, str, str]]:
    """Place the names of layers: each with its line, its pixels from the left, and its color."""
    placed: list[tuple[int, float, str, str]] = []
    line, x = 0, 8.0
    for name, color in colors.items():
        shown = name or "(no layer)"
        shown = shown if len(shown) <= _LONGEST_NAME else f"…{shown[1 - _LONGEST_NAME :]}"
        width = 26 + len(shown) * _LETTER
        if x + width > _WIDTH and x > 8:
            line, x = line + 1, 8.0
        placed.append((line, round(x, 1), shown, color))
        x += width
    return placed


def _legend_entry(line: int, x: float, name: str, color: str) -> str:
    y = 6 + line * _LEGEND_LINE
    return (
        f'<rect x="{x:g}" y="{y}" width="10" height="10" rx="2" fill="{color}"/>'
        f'<text x="{x + 14:g}" y="{y + 9}">{escape(name)}</text>'
    )


def _axis(scale: _Scale, top: int, bottom: int) -> list[str]:
    """Draw a line down at each round number of cycles, and the number below it."""
    step = _tick_step(scale.cycles)
    lines: list[str] = []
    for number in range(int(scale.cycles // step) + 1):
        x = scale(number * step)
        anchor = "middle" if x < _WIDTH - 30 else "end"
        lines.append(
            f'<path d="M{x:g} {top}V{bottom}" stroke="{_GRAY}" stroke-opacity="0.35" stroke-width="1"/>'
            f'<text x="{x:g}" y="{bottom + 14}" text-anchor="{anchor}">{number * step:,}</text>'
        )
    lines.append(f'<text x="{_LEFT - 8}" y="{bottom + 14}" text-anchor="end">cycles</text>')
    return lines


def _tick_step(cycles: float) -> int:
    """Return a round number of cycles of which so many are not too many marks."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if cycles <= step * factor * _MOST_TICKS:
                return step * factor
        step *= 10


def _lanes(tops: dict[int, int]) -> list[str]:
    """Write the names of cores and engines."""
    found: list[str] = []
    for core, top in tops.items():
        middle = top + _LANE * ENGINE_COUNT // 2 + 4
        found.append(f'<text x="4" y="{middle}">core {core}</text>')
        for engine, name in enumerate(ENGINES):
            y = top + engine * _LANE + 9
            found.append(
                f'<text x="{_LEFT - 8}" y="{y}" text-anchor="end" style="font-size:9px">'
                f"{name.replace('_', ' ')}</text>"
            )
    return found


def _stalls(timing: Timing, tops: dict[int, int], scale: _Scale) -> list[str]:
    """Draw a thin line for each time that an engine waits."""
    found: list[str] = []
    for stall in timing.history.stalls:
        core, engine = divmod(stall.engine, ENGINE_COUNT)
        left, right = scale(stall.start), scale(stall.end)
        if core not in tops or right - left < 1:
            continue
        y = tops[core] + engine * _LANE + _LANE / 2
        cause = "its results leave the array" if stall.cause == "drain" else f"waits: {stall.cause}"
        found.append(
            f'<path d="M{left:g} {y:g}H{right:g}" stroke="{_GRAY}" stroke-width="1.5">'
            f"<title>{cause}, {stall.start:,.0f} to {stall.end:,.0f}</title></path>"
        )
    return found


def _bars(timing: Timing, tops: dict[int, int], scale: _Scale, colors: dict[str, str]) -> list[str]:
    """Draw a bar for each instruction; one for the stores of a multicast."""
    streams, history = timing.streams, timing.history
    found: list[str] = []
    for occurrence in range(len(streams) * timing.repeat):
        number = occurrence % len(streams)
        if streams.follows[number]:
            continue
        start, end = float(history.move[occurrence]), float(history.drain[occurrence])
        left, right = scale(start), scale(end)
        name = _origin(timing, number)
        y = tops[streams.core[number]] + streams.engine[number] % ENGINE_COUNT * _LANE + 1
        said = f"{streams.kinds[number].mnemonic} of {name}, {start:,.0f} to {end:,.0f}"
        found.append(
            f'<rect x="{left:g}" y="{y}" width="{max(round(right - left, 2), 0.6):g}" '
            f'height="{_LANE - 2}" fill="{colors[name]}"><title>{escape(said)}</title></rect>'
        )
    return found
