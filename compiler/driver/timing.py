"""Takes the time of a run as a tree of steps: parse, passes, verifications, print."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...passes.instrument import PassInstrument
from .heading import heading

TimingDisplay = Literal["tree", "list"]


@dataclass
class TimedStep:
    """A step: its wall time and processor time in seconds, how often it ran, and the steps in it."""

    name: str
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    count: int = 0
    steps: dict[str, TimedStep] = field(default_factory=dict)

    def step(self, name: str) -> TimedStep:
        """Return the step of that name in this one."""
        return self.steps.setdefault(name, TimedStep(name))

    def to_json(self) -> dict[str, Any]:
        """Return the step as JSON, times in seconds; `rest` is the time that none of its steps took."""
        shown: dict[str, Any] = {
            "name": self.name,
            "wall_seconds": round(self.wall_seconds, 6),
            "cpu_seconds": round(self.cpu_seconds, 6),
            "count": self.count,
        }
        if self.steps:
            shown["steps"] = [step.to_json() for step in self.steps.values()]
        return shown


class Stopwatch:
    """Takes the time of steps within steps."""

    def __init__(self) -> None:
        self.root = TimedStep("Total", count=1)
        self._open: list[tuple[TimedStep, float, float]] = []

    def start(self, name: str) -> None:
        """Begin a step within the one that is open."""
        parent = self._open[-1][0] if self._open else self.root
        self._open.append((parent.step(name), time.perf_counter(), time.process_time()))

    def stop(self) -> None:
        """End the step that was begun last."""
        step, wall, cpu = self._open.pop()
        step.wall_seconds += time.perf_counter() - wall
        step.cpu_seconds += time.process_time() - cpu
        step.count += 1

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the body of a `with` statement as a step."""
        self.start(name)
        try:
            yield
        finally:
            self.stop()

    def report(self, format: str, display: TimingDisplay = "tree") -> str:
        """Return all steps, as "text" in MLIR's form or as "json", as a tree or as a list, longest first."""
        root = self.root if display == "tree" else _as_list(self.root)
        if display == "tree":
            root.wall_seconds = sum(step.wall_seconds for step in root.steps.values())
            root.cpu_seconds = sum(step.cpu_seconds for step in root.steps.values())
        if format == "json":
            return json.dumps(root.to_json(), indent=2) + "\n"
        lines = heading("Execution time report")
        lines += [f"  Total Execution Time: {root.wall_seconds:.4f} seconds", ""]
        lines.append("  ----User+Sys----  ----Wall Time----  ----Name----")
        for step in root.steps.values():
            lines += _rows(step, root, 0)
        return "\n".join([*lines, _row(root, root, 0)]) + "\n"


def _as_list(root: TimedStep) -> TimedStep:
    """Return the steps of a tree side by side, those of one name together, sorted by wall time."""
    merged = TimedStep(root.name, count=root.count)

    def add(step: TimedStep) -> None:
        own = merged.step(step.name)
        own.wall_seconds += step.wall_seconds
        own.cpu_seconds += step.cpu_seconds
        own.count += step.count
        for inner in step.steps.values():
            add(inner)

    for step in root.steps.values():
        add(step)
    merged.wall_seconds = sum(step.wall_seconds for step in root.steps.values())
    merged.cpu_seconds = sum(step.cpu_seconds for step in root.steps.values())
    ordered = sorted(merged.steps.values(), key=lambda step: -step.wall_seconds)
    merged.steps = {step.name: step for step in ordered}
    return merged


def _rows(step: TimedStep, root: TimedStep, depth: int) -> Iterator[str]:
    yield _row(step, root, depth)
    for inner in step.steps.values():
        yield from _rows(inner, root, depth + 1)


def _row(step: TimedStep, root: TimedStep, depth: int) -> str:
    times = "  ".join(
        f"{seconds:8.4f} ({seconds / whole if whole else 0:6.1%})"
        for seconds, whole in (
            (step.cpu_seconds, root.cpu_seconds),
            (step.wall_seconds, root.wall_seconds),
        )
    )
    return f"  {times}  {'  ' * depth}{step.name}"


class PassTiming(PassInstrument):
    """Takes the time of a pipeline, of each pass in it and of each verification."""

    def __init__(self, stopwatch: Stopwatch) -> None:
        self.stopwatch = stopwatch

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        self.stopwatch.start("Pipeline")

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        self.stopwatch.start(each.name)

    def after(self, each: ModulePass, module: ModuleOp) -> None:
        self.stopwatch.stop()

    def failed(self, each: ModulePass, module: ModuleOp, error: BaseException) -> None:
        self.stopwatch.stop()

    def before_verification(self, module: ModuleOp) -> None:
        self.stopwatch.start("(verify)")

    def after_verification(self, module: ModuleOp) -> None:
        self.stopwatch.stop()

    def leave(self, module: ModuleOp, error: BaseException | None) -> None:
        self.stopwatch.stop()
