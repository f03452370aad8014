"""Draws traffic: the latency of each inference over time, and the batches in which they ran."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...backends.runtime.clocks.clock import MILLISECOND, SECOND
from ...backends.runtime.traffic.record import Record
from .figures import new_figure, save_figure


def plot_traffic(records: Sequence[Record], path: str | Path, title: str = "") -> None:
    """Draw latencies as points, a color for each device, and sizes of batches as bars. Raises DiagnosticError."""
    figure, axes = new_figure(8, 4)
    good = [each for each in records if not each.error]
    bars = axes.twinx()
    runs = sorted({(each.started, each.batch) for each in good})
    width = (good[-1].ended / SECOND) / 200 if good else 1.0
    bars.bar([at / SECOND for at, _ in runs], [size for _, size in runs], width, color="#dddddd")
    bars.set_ylabel("batch")
    bars.set_zorder(0)
    axes.set_zorder(1)
    axes.patch.set_visible(False)
    for name in dict.fromkeys(each.device for each in good):
        own = [each for each in good if each.device == name]
        times = [each.arrived / SECOND for each in own]
        axes.plot(times, [each.latency / MILLISECOND for each in own], ".", label=name)
    axes.set_xlabel("arrival [s]")
    axes.set_ylabel("latency [ms]")
    axes.set_ylim(bottom=0)
    if title:
        axes.set_title(title)
    if good:
        axes.legend()
    save_figure(figure, path)
