"""Makes the page of experiments in service: a plot and a table for each, in one file that opens from disk."""

from __future__ import annotations

import html
from collections.abc import Sequence

from ...backends.runtime.clocks.clock import MILLISECOND, SECOND
from ...backends.runtime.traffic.report import Report
from ..pictures.figures import figure_as_svg, new_figure
from .experiments import Outcome

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
td, th { padding: .2em .8em; border-bottom: 1px solid #ddd; text-align: right }
td:first-child, th:first-child { text-align: left }
svg { max-width: 100%; height: auto }
"""
COLUMNS = (
    "experiment", "inferences", "first [ms]", "min", "median", "mean", "p99", "max [ms]", "inf/s", "batches", "devices",
    "in order",
)  # fmt: skip


def row_of(outcome: Outcome) -> list[str]:
    """Return the cells of an experiment in the table, under `COLUMNS`."""
    report = Report(outcome.records)
    latency = report.latency
    times = (latency.least, latency.median, latency.mean, latency.p99, latency.most)
    return [
        outcome.experiment.name,
        f"{len(report.done):,}",
        f"{report.first_milliseconds:.1f}",
        *(f"{time:.1f}" for time in times),
        f"{report.per_second:.1f}",
        ", ".join(f"{size}: {count}" for size, count in report.batches.items()),
        ", ".join(f"{name}: {len(own.records)}" for name, own in report.devices.items()),
        "yes" if outcome.is_in_order else "no",
    ]


def experiments_page(outcomes: Sequence[Outcome]) -> str:
    """Return the page as HTML. Raises DiagnosticError if matplotlib is not installed."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><meta charset="utf-8"><title>AUTO and automatic batching</title>',
        f"<style>{_STYLE}</style>",
        "<h1>AUTO and automatic batching, in virtual time</h1>",
        "<p>An accelerator takes 10 ms for a batch and 0.5 ms for each inference in it, and 2 s to get the model "
        "ready; the CPU takes 40 ms for an inference. These times are stated, not measured: what the policies do is "
        "seen alone.</p>",
        _table(outcomes),
    ]
    for outcome in outcomes:
        experiment = outcome.experiment
        settings = ", ".join(f"{name} = {value}" for name, value in experiment.properties.items())
        parts += [
            f"<h2>{html.escape(experiment.name)}</h2>",
            f"<p>{html.escape(experiment.asks)} <code>{html.escape(experiment.device)}</code>"
            f"{f' <code>{html.escape(settings)}</code>' if settings else ''}</p>",
            _plot(outcome),
        ]
    return "\n".join([*parts, "</html>", ""])


def _table(outcomes: Sequence[Outcome]) -> str:
    head = "".join(f"<th>{html.escape(title)}</th>" for title in COLUMNS)
    rows = (
        "".join(f"<td>{html.escape(cell)}</td>" for cell in row_of(outcome)) for outcome in outcomes
    )
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _plot(outcome: Outcome) -> str:
    """Draw the latency of each inference over time as points, and the batches as bars."""
    figure, axes = new_figure(8, 3)
    bars = axes.twinx()
    runs = sorted({(each.started, each.executed, each.batch) for each in outcome.records})
    bars.bar(
        [start / SECOND for start, _, _ in runs],
        [size for _, _, size in runs],
        [max(end - start, 1) / SECOND for start, end, _ in runs],
        align="edge",
        color="#d7e3f0",
    )
    bars.set_ylabel("batch")
    axes.set_zorder(1)
    axes.patch.set_visible(False)
    for name in dict.fromkeys(each.device for each in outcome.records):
        own = [each for each in outcome.records if each.device == name]
        times = [each.arrived / SECOND for each in own]
        axes.plot(times, [each.latency / MILLISECOND for each in own], ".", label=name)
    axes.set_xlabel("arrival [s]")
    axes.set_ylabel("latency [ms]")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8)
    return figure_as_svg(figure)
