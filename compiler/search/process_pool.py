"""Measures points in several processes of this machine.

A process is this interpreter, started afresh as `python -m …pool_worker`, so a script needs no guard around its main
part. Each process is given one point at a time; if it dies, or takes too long, that point alone is tried again.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait

from ...backends.diagnostics.diagnostic import DiagnosticError
from .evaluator import Evaluator
from .executor import ATTEMPTS, Done, given_up
from .space import Point

_WORKER = f"{__package__}.pool_worker"
_THREAD_VARIABLES: tuple[str, ...] = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class ProcessPool:
    """Up to `workers` processes, each with BLAS in one thread, so that two do the work of two.

    `timeout_seconds`: how long a point may take before its process is ended and the point tried again; None for any
    time.
    """

    def __init__(self, workers: int, timeout_seconds: float | None = None) -> None:
        self.workers = workers
        self.timeout_seconds = timeout_seconds
        self._running: list[_Worker] = []
        self._evaluator: bytes = b""

    def __enter__(self) -> ProcessPool:
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._running:
            worker.stop()
        self._running = []

    def measure(self, evaluator: Evaluator, points: Sequence[Point]) -> Iterator[Done]:
        """Yield the measurements of all points, as `Executor.measure` does."""
        self._take_evaluator(evaluator)
        waiting = deque(range(len(points)))
        attempts = [0] * len(points)
        left = len(points)
        while left:
            self._start_workers(left)
            for worker in self._running:
                if worker.place is None and waiting:
                    worker.begin(waiting.popleft(), points)
            for worker in self._ready():
                place = worker.place
                assert place is not None
                answer = worker.answer()
                if isinstance(answer, DiagnosticError):
                    raise answer
                if answer is not None:
                    left -= 1
                    yield place, answer
                    continue
                what = "took too long" if worker.is_alive() else "crashed"
                worker.stop()
                self._running.remove(worker)
                attempts[place] += 1
                if attempts[place] == ATTEMPTS:
                    raise given_up(points[place], what)
                waiting.appendleft(place)

    def _take_evaluator(self, evaluator: Evaluator) -> None:
        """Note what workers are to run; those of another evaluator are of no use, nor those that still work for a
        search that an error ended.
        """
        pickled = pickled_evaluator(evaluator)
        if pickled != self._evaluator or any(each.place is not None for each in self._running):
            self.__exit__()
            self._evaluator = pickled

    def _start_workers(self, left: int) -> None:
        while len(self._running) < min(self.workers, left):
            self._running.append(_Worker(self._evaluator))

    def _ready(self) -> list[_Worker]:
        """Wait until a worker has something to say or is late, and return those of which that is so."""
        busy = {each.connection: each for each in self._running if each.place is not None}
        seconds = None
        if self.timeout_seconds is not None:
            due = min(each.began for each in busy.values()) + self.timeout_seconds
            seconds = max(0.0, due - time.monotonic())
        found = [busy[each] for each in wait(list(busy), seconds) if isinstance(each, Connection)]
        if self.timeout_seconds is not None and not found:
            now = time.monotonic()
            found = [each for each in busy.values() if now - each.began >= self.timeout_seconds]
        return found


def pickled_evaluator(evaluator: Evaluator) -> bytes:
    """Return an evaluator as bytes. Raises DiagnosticError if its class stands where no other process finds it."""
    if type(evaluator).__module__ == "__main__":
        raise DiagnosticError(
            f"other processes cannot import {type(evaluator).__name__}, which a script defines",
            hint="put the class into a module of its own, or search with one process",
        )
    return pickle.dumps(evaluator)


class _Worker:
    """A process, and the place of the point that it works on."""

    def __init__(self, evaluator: bytes) -> None:
        self.connection, other = Pipe()
        # Let it import the same packages as this process, not those in the working folder.
        environment = {
            **os.environ,
            **dict.fromkeys(_THREAD_VARIABLES, "1"),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        command = [sys.executable, "-P", "-m", _WORKER, str(other.fileno())]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, pass_fds=[other.fileno()], env=environment
        )
        other.close()
        self.place: int | None = None
        self.began = 0.0
        with suppress(
            OSError
        ):  # if it has died already, it will be found dead with its first point
            self.connection.send_bytes(evaluator)

    def begin(self, place: int, points: Sequence[Point]) -> None:
        """Let it measure a point."""
        self.place, self.began = place, time.monotonic()
        with suppress(OSError):
            self.connection.send(points[place])

    def answer(self) -> dict[str, object] | DiagnosticError | None:
        """Return what was measured, or the error that ended it; None if the process has died or is late."""
        try:
            answer = self.connection.recv() if self.connection.poll() else None
        except (EOFError, OSError):
            self._process.wait()
            return None
        if answer is not None:
            self.place = None
        return answer

    def is_alive(self) -> bool:
        """Tell whether the process still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self.connection.close()
