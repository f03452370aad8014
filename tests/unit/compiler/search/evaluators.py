"""Evaluators for tests of the search engine: other processes import them from here."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from smalti.backends.diagnostics.diagnostic import DiagnosticError, Place
from smalti.compiler.search.evaluator import Measurement
from smalti.compiler.search.search import Search
from smalti.compiler.search.space import Point, Space
from smalti.compiler.search.strategy import exhaustive

SPACE = Space({"x": range(6), "y": [0.25, 0.5]})


@dataclass
class Parabola:
    """Measures (x - 3)² + y, and notes in a file each time that it does."""

    log: Path
    sleep_seconds: float = 0.0

    def evaluate(self, point: Point) -> Measurement:
        with self.log.open("a") as file:
            file.write(f"{point['x']} {point['y']}\n")
        time.sleep(self.sleep_seconds)
        return {"loss": (point["x"] - 3) ** 2 + point["y"]}


@dataclass
class Unsteady(Parabola):
    """Dies, or hangs, at the point x = 2 until it has done so `most_faults` times."""

    fault: str = "dies"
    most_faults: int = 2

    def evaluate(self, point: Point) -> Measurement:
        measured = super().evaluate(point)
        if point["x"] == 2 and len(self.log.with_suffix(".faults").read_text()) < self.most_faults:
            with self.log.with_suffix(".faults").open("a") as file:
                file.write("x")
            if self.fault == "hangs":
                time.sleep(60)
            os.kill(os.getpid(), signal.SIGKILL)
        return measured


@dataclass
class Wrong:
    """Refuses every point."""

    def evaluate(self, point: Point) -> Measurement:
        raise DiagnosticError("this cannot be", Place(name="here"), ["a note"], "do better")


def loss(measured: Measurement) -> float:
    return measured["loss"]


if __name__ == "__main__":
    record, log = map(Path, sys.argv[1:])
    Search(Parabola(log, 0.1), loss, record, {"model": "parabola"}).run(exhaustive(SPACE))
