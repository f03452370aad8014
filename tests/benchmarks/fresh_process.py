"""Runs a module in a process of its own and says what that took: time, CPU time, memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.shared_files import ROOT

MEASURED = Path(__file__).with_name("measured.py")


@dataclass(frozen=True)
class Run:
    """What a process took: wall-clock and CPU seconds, and its peak resident memory in 10^6 bytes."""

    seconds: float
    cpu_seconds: float
    peak_mb: float | None


def run_fresh(
    module: str,
    *words: object,
    folder: Path,
    python: str = sys.executable,
    environment: dict[str, str] | None = None,
) -> Run:
    """Runs `python -m module words…` (a path of a .py file: `python module words…`) from the start of the process to
    its end.

    `folder` is where the process runs and its result is written. AssertionError with what it printed where it fails.
    """
    result = folder / "measured.json"
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    command: Sequence[str] = [python, str(MEASURED), str(result), module, *map(str, words)]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    measured = json.loads(result.read_text())
    return Run(seconds, measured["cpu_seconds"], measured["peak_mb"])
