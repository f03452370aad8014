"""What became of inferences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from ..clocks.clock import MILLISECOND, SECOND
from ..requests.inference import Inference, State


@dataclass(frozen=True)
class Record:
    """An inference that has ended: times of the clock in nanoseconds, the device that ran it last, and with how many
    others in a batch; `error` says what went wrong, and is "" if nothing did.
    """

    number: int
    arrived: int
    started: int
    prepared: int
    executed: int
    ended: int
    device: str
    batch: int
    late: int
    error: str = ""

    @staticmethod
    def of(number: int, inference: Inference) -> Record:
        """Return what an inference that has ended says of itself. Stages that it has not come to take no time."""
        ended = inference.arrived if inference.ended is None else inference.ended
        started, prepared, executed = (
            ended if time is None else time
            for time in (inference.started, inference.prepared, inference.executed)
        )
        error = "" if inference.state is State.DONE else inference.state.value
        if inference.error is not None:
            error = str(inference.error) or type(inference.error).__name__
        return Record(
            number, inference.arrived, started, prepared, executed, ended,
            inference.device, inference.batch, inference.late, error,
        )  # fmt: skip

    @property
    def latency(self) -> int:
        """The nanoseconds from its arrival to its end."""
        return self.ended - self.arrived

    @property
    def stages(self) -> dict[str, int]:
        """The nanoseconds of each stage: it waits, the host prepares, the device computes, the host collects."""
        return {
            "wait": self.started - self.arrived,
            "host before": self.prepared - self.started,
            "device": self.executed - self.prepared,
            "host after": self.ended - self.executed,
        }


@dataclass(frozen=True)
class Spread:
    """How some times are spread, in milliseconds. Percentiles are the smallest of them that so many do not exceed."""

    least: float
    median: float
    mean: float
    p90: float
    p99: float
    most: float

    @staticmethod
    def of(nanoseconds: Iterable[int]) -> Spread:
        """Return how times are spread; all are 0 if there are none."""
        times = sorted(each / MILLISECOND for each in nanoseconds) or [0.0]

        def percentile(percent: int) -> float:
            return times[ceil(len(times) * percent / 100) - 1]

        mean = sum(times) / len(times)
        return Spread(times[0], percentile(50), mean, percentile(90), percentile(99), times[-1])

    def to_json(self) -> dict[str, float]:
        """Return it as a JSON object; the names say the unit."""
        return {
            "min_ms": self.least, "median_ms": self.median, "mean_ms": self.mean,
            "p90_ms": self.p90, "p99_ms": self.p99, "max_ms": self.most,
        }  # fmt: skip


def done(records: Sequence[Record]) -> list[Record]:
    """Return those of inferences that succeeded."""
    return [each for each in records if not each.error]


def span(records: Sequence[Record]) -> int:
    """Return the nanoseconds from the first arrival to the last end."""
    if not records:
        return 0
    return max(each.ended for each in records) - min(each.arrived for each in records)


def per_second(records: Sequence[Record]) -> float:
    """Return how many inferences succeeded in a second, from the first arrival to the last end."""
    whole = span(records)
    return len(done(records)) * SECOND / whole if whole else 0.0
