"""What traffic came to: how many inferences, in what time, and how long each took, by device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..clocks.clock import MILLISECOND, SECOND
from .record import Record, Spread, done, per_second, span

STAGES = ("wait", "host before", "device", "host after")


@dataclass(frozen=True)
class Report:
    """Records of inferences; `samples` is how many inferences each of them counts as."""

    records: Sequence[Record]
    samples: int = 1

    @cached_property
    def done(self) -> list[Record]:
        """Those that succeeded."""
        return done(self.records)

    @property
    def failed(self) -> int:
        """How many failed."""
        return len(self.records) - len(self.done)

    @property
    def errors(self) -> dict[str, int]:
        """What went wrong, and how often."""
        return dict(Counter(each.error for each in self.records if each.error))

    @property
    def seconds(self) -> float:
        """From the first arrival to the last end."""
        return span(self.records) / SECOND

    @property
    def per_second(self) -> float:
        """How many inferences succeeded in a second."""
        return self.samples * per_second(self.records)

    @property
    def latency(self) -> Spread:
        """How long inferences took from their arrival to their end."""
        return Spread.of(each.latency for each in self.done)

    @property
    def first_milliseconds(self) -> float:
        """How long the first inference took that succeeded."""
        return self.done[0].latency / MILLISECOND if self.done else 0.0

    @property
    def late(self) -> Spread:
        """How far the host was behind the device's time at the ends of inferences."""
        return Spread.of(each.late for each in self.done)

    @property
    def batches(self) -> dict[int, int]:
        """How many inferences ran together with how many, themselves included."""
        return dict(sorted(Counter(each.batch for each in self.done).items()))

    @property
    def stages(self) -> dict[str, Spread]:
        """How long inferences were in each stage."""
        every = [each.stages for each in self.done]
        return {stage: Spread.of(each[stage] for each in every) for stage in STAGES}

    @property
    def devices(self) -> dict[str, Report]:
        """The reports of the devices that served, each of its own inferences."""
        names = dict.fromkeys(each.device for each in self.done)
        return {
            name: Report([each for each in self.done if each.device == name], self.samples)
            for name in names
        }

    def to_json(self) -> dict[str, Any]:
        """Return all of it as a JSON object; the names say the units."""
        return {
            "count": len(self.records),
            "failed": self.failed,
            "errors": self.errors,
            "duration_s": self.seconds,
            "inferences_per_second": self.per_second,
            "first_inference_ms": self.first_milliseconds,
            "latency": self.latency.to_json(),
            "stages": {name: spread.to_json() for name, spread in self.stages.items()},
            "late": self.late.to_json(),
            "batches": {str(size): count for size, count in self.batches.items()},
            "devices": {
                name: {
                    "count": len(own.records),
                    "inferences_per_second": own.per_second,
                    "latency": own.latency.to_json(),
                }
                for name, own in self.devices.items()
            },
        }


def traffic_trace(records: Sequence[Record]) -> dict[str, Any]:
    """Return traffic as the JSON object of a trace file, in Chrome's Trace Event Format, which Perfetto reads.

    Each device is a process: a thread has the batches that run, and others the inferences with their stages, on as
    many threads as overlap. Times are in microseconds since the clock began.
    """
    events: list[dict[str, Any]] = []
    devices = {name: place for place, name in enumerate(dict.fromkeys(r.device for r in records))}
    free: dict[str, list[int]] = {name: [] for name in devices}
    runs: dict[tuple[str, int], Record] = {}
    for name, place in devices.items():
        events.append(_named("process_name", place + 1, 0, name or "refused"))
        events.append(_named("thread_name", place + 1, 1000 * (place + 1), "batches"))
    for each in records:
        if (each.device, each.started) not in runs and each.batch:
            runs[each.device, each.started] = each
            process = devices[each.device] + 1
            name = f"batch of {each.batch}"
            events.append(
                _slice(name, process, 1000 * process, each.started, each.ended - each.started, {})
            )
        process, lanes = devices[each.device] + 1, free[each.device]
        lane = next((i for i, end in enumerate(lanes) if end <= each.arrived), len(lanes))
        lanes[lane : lane + 1] = [each.ended]
        thread = 1000 * process + lane + 1
        about = {"number": each.number, "batch": each.batch, "late_us": each.late / 1000}
        at = each.arrived
        for stage, nanoseconds in each.stages.items():
            if nanoseconds:
                events.append(_slice(stage, process, thread, at, nanoseconds, about))
            at += nanoseconds
        if each.error:
            error = {**about, "error": each.error}
            events.append(_slice("failed", process, thread, each.ended, 0, error))
    for name, place in devices.items():
        for lane in range(len(free[name])):
            thread = 1000 * (place + 1) + lane + 1
            events.append(_named("thread_name", place + 1, thread, f"inferences {lane + 1}"))
    return {"traceEvents": events, "displayTimeUnit": "ns"}


def _named(kind: str, process: int, thread: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "pid": process, "tid": thread, "name": kind, "args": {"name": name}}


def _slice(
    name: str, process: int, thread: int, at: int, nanoseconds: int, about: dict[str, Any]
) -> dict[str, Any]:
    return {
        "ph": "X", "pid": process, "tid": thread, "ts": at / 1000, "dur": nanoseconds / 1000,
        "name": name, "args": about,
    }  # fmt: skip
