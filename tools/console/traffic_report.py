"""What traffic came to, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .tables import format_table

if TYPE_CHECKING:
    from ...backends.runtime.traffic.record import Spread
    from ...backends.runtime.traffic.report import Report

_COLUMNS = ("latency [ms]", "count", "inf/s", "min", "median", "mean", "p90", "p99", "max")


def format_report(report: Report) -> str:
    """Return counts, throughput and latencies, for each device if there are several."""
    count, failed = len(report.records), report.failed
    lines = [f"count                  {count:>14,}{f' ({failed:,} failed)' if failed else ''}"]
    for error, number in report.errors.items():
        lines.append(f"  {number:,} times: {error}")
    sizes = ", ".join(f"{size} for {number:,}" for size, number in report.batches.items())
    lines += [
        f"duration               {report.seconds:>14,.3f} s",
        f"throughput             {report.per_second:>14,.1f} inf/s",
        f"first inference        {report.first_milliseconds:>14,.4f} ms",
        f"batches                {sizes or 'none':>14}",
    ]
    if report.late.most:
        late = f"{report.late.mean:.4f} ms on average, {report.late.most:.4f} ms at most"
        lines.append(f"host behind the device {late}")
    devices = report.devices
    rows = [_row(name, own) for name, own in devices.items()]
    if len(devices) != 1:
        rows.append(_row("all", report))
    return "\n".join([*lines, "", *format_table(_COLUMNS, rows)])


def format_stages(stages: Mapping[str, Spread]) -> str:
    """Return how long inferences were in each stage."""
    columns = ("stage [ms]", "min", "median", "mean", "p90", "p99", "max")
    return "\n".join(
        format_table(columns, [[name, *_spread(each)] for name, each in stages.items()])
    )


def _row(name: str, report: Report) -> list[str]:
    done = len(report.done)
    return [name, f"{done:,}", f"{report.per_second:,.1f}", *_spread(report.latency)]


def _spread(spread: Spread) -> list[str]:
    return [f"{value:,.4f}" for value in spread.to_json().values()]
