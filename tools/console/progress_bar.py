"""A progress bar on standard error for steps that take longer than two seconds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...backends.diagnostics.progress import Progress, silent, step_of

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

PATIENCE_SECONDS = 2.0


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Yield a progress callback that shows a bar on a terminal once a step has lasted longer than two seconds.

    The bar of a step comes by the clock: also while the step reports nothing, as in the middle of a long pass.
    """
    if not sys.stderr.isatty():
        yield silent
        return
    steps = _Steps()
    try:
        yield steps.report
    finally:
        steps.stop()


class _Steps:
    """The steps that were reported so far. Each has a timer until it is shown or done."""

    def __init__(self) -> None:
        self._bar: RichProgress | None = None
        self._latest: dict[str, tuple[str, int, int]] = {}
        """By step: what it is at, how much is done, how much there is."""
        self._timers: dict[str, threading.Timer] = {}
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def report(self, what: str, done: int, total: int) -> None:
        """Note how far a step is, and update its bar."""
        step = step_of(what)
        with self._lock:
            begins = done < total and step not in self._timers and step not in self._tasks
            self._latest[step] = (what, done, total)
            if step in self._tasks and self._bar is not None:
                self._bar.update(self._tasks[step], description=what, completed=done, total=total)
            if begins:
                timer = threading.Timer(PATIENCE_SECONDS, self._show, [step])
                timer.daemon = True
                self._timers[step] = timer
                timer.start()
            elif done >= total and step in self._timers:
                self._timers.pop(step).cancel()

    def stop(self) -> None:
        """Cancel all timers and remove the bar."""
        with self._lock:
            for timer in self._timers.values():
                timer.cancel()
            self._timers.clear()
            if self._bar is not None:
                self._bar.stop()

    def _show(self, step: str) -> None:
        with self._lock:
            # The step may have ended while the timer was on its way here.
            if self._timers.pop(step, None) is None:
                return
            if self._bar is None:
                self._bar = _new_bar()
                self._bar.start()
            what, done, total = self._latest[step]
            self._tasks[step] = self._bar.add_task(what, completed=done, total=total)


def _new_bar() -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
