"""A progress bar on standard error for steps that take longer than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ...backends.diagnostics.progress import Progress, silent

PATIENCE_SECONDS = 2.0


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Yield a progress callback that shows a bar on a terminal once a step has lasted longer than two seconds."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    started: dict[str, float] = {}
    tasks: dict[str, object] = {}
    bar = RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )

    def report(what: str, done: int, total: int) -> None:
        first = started.setdefault(what, time.monotonic())
        if what not in tasks and done < total and time.monotonic() - first > PATIENCE_SECONDS:
            bar.start()
            tasks[what] = bar.add_task(what, total=total)
        if what in tasks:
            bar.update(tasks[what], completed=done, total=total)  # pyright: ignore[reportArgumentType]

    try:
        yield report
    finally:
        bar.stop()
