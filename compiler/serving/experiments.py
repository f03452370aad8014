"""Experiments on AUTO and automatic batching in virtual time: those of OpenVINO's article, and three on the order of
completion.

The devices have stated times, so that what policies do is seen alone: an accelerator that takes 10 ms for a batch and
0.5 ms for each inference in it, and 2 s to get a model ready; and a CPU that takes 40 ms for an inference.
(OpenVINO, "Automatic Device Selection" and "Automatic Batching", whose settings these are.)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...backends.runtime.api.core import Core
from ...backends.runtime.clocks.clock import MILLISECOND, SECOND
from ...backends.runtime.clocks.virtual_clock import VirtualClock
from ...backends.runtime.devices.cpu_device import CpuDevice
from ...backends.runtime.devices.device import Device
from ...backends.runtime.devices.loaded_model import LoadedModel, StageTimes
from ...backends.runtime.devices.served_model import ServedModel
from ...backends.runtime.requests.inference import Arrays
from ...backends.runtime.traffic.arrivals import Arrivals, Interval, Pool
from ...backends.runtime.traffic.drive import Limit, drive
from ...backends.runtime.traffic.record import Record
from ...backends.runtime.traffic.samples import random_sample
from ..demo.digits import MODEL

LOAD = 2 * SECOND
BATCH_TIME, SAMPLE_TIME = 10 * MILLISECOND, MILLISECOND // 2
CPU_TIME = 40 * MILLISECOND
LARGEST_BATCH = 64


@dataclass(frozen=True)
class Experiment:
    """`device` and `properties` as `Core.compile_model` takes them. `asks`: what is to be seen."""

    name: str
    asks: str
    device: str
    arrivals: Arrivals
    count: int
    properties: Mapping[str, object] = field(default_factory=dict)


def _paced(milliseconds: int, most: int | None = None) -> Interval:
    return Interval(milliseconds * MILLISECOND, most)


_AUTO = "AUTO:TPU,CPU"
EXPERIMENTS: Sequence[Experiment] = (
    Experiment(
        "AUTO under THROUGHPUT",
        "The CPU serves until the accelerator is ready; the switch makes no peak.",
        _AUTO,
        _paced(50, 16),
        100,
        {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "PERFORMANCE_HINT_NUM_REQUESTS": 4,
            "AUTO_BATCH_TIMEOUT": 100,
        },
    ),
    Experiment(
        "AUTO under LATENCY",
        "The same without batches: each inference is done at once.",
        _AUTO,
        _paced(50, 16),
        100,
        {"PERFORMANCE_HINT": "LATENCY"},
    ),
    Experiment(
        "20 at 30 ms, no batching",
        "The latency is that of one inference.",
        "TPU",
        _paced(30),
        20,
        {"PERFORMANCE_HINT": "THROUGHPUT", "ALLOW_AUTO_BATCHING": False},
    ),
    Experiment(
        "200 at 30 ms, pool of 16",
        "A batch of 16 is full after 450 ms: the first one of each waits so long, the last one not at all.",
        "BATCH:TPU(16)",
        _paced(30, 16),
        200,
    ),
    Experiment(
        "200 at 300 ms, timeout 1000 ms, pool of 64",
        "A batch is never full, and starts 1000 ms after the arrival of its first inference.",
        "BATCH:TPU(64)",
        _paced(300, 64),
        200,
        {"AUTO_BATCH_TIMEOUT": 1000},
    ),
    Experiment(
        "200 at 300 ms, timeout 100 ms, pool of 16",
        "Each inference waits for the timeout, alone: batching costs 100 ms and gains nothing.",
        "BATCH:TPU(16)",
        _paced(300, 16),
        200,
        {"AUTO_BATCH_TIMEOUT": 100},
    ),
    *(
        Experiment(
            f"order of completion, pool of {size}",
            "Inferences end in the order in which they were asked for.",
            f"BATCH:TPU({size})" if size > 1 else "TPU",
            Pool(size),
            192,
        )
        for size in (1, 16, 64)
    ),
)
"""Six of the article, and three of ours."""


@dataclass(frozen=True)
class Outcome:
    """What became of an experiment's inferences."""

    experiment: Experiment
    records: Sequence[Record]

    @property
    def is_in_order(self) -> bool:
        """Whether no inference ended before one that was asked for earlier."""
        ends = [each.ended for each in self.records]
        return ends == sorted(ends)


def run_experiment(experiment: Experiment) -> Outcome:
    """Run an experiment in virtual time: the same outcome each time."""
    model = ServedModel(MODEL)
    devices = [_Accelerator(), CpuDevice(CPU_TIME)]
    with (
        Core(devices, VirtualClock()) as core,
        core.compile_model(model, experiment.device, experiment.properties) as compiled,
    ):
        sample = random_sample(model.inputs, 0)
        records = drive(compiled, [sample], experiment.arrivals, Limit(count=experiment.count))
    return Outcome(experiment, records)


class _Accelerator(Device):
    """A device with stated times."""

    name = "TPU"

    @property
    def full_name(self) -> str:
        return "an accelerator with stated times"

    @property
    def largest_batch(self) -> int:
        return LARGEST_BATCH

    def load_nanoseconds(self) -> int:
        return LOAD

    def supported_nodes(self, model: ServedModel, settings: Mapping[str, Any]) -> Collection[str]:
        return model.nodes

    def optimal_batch(self, model: ServedModel, settings: Mapping[str, Any]) -> int:
        return LARGEST_BATCH

    def load(
        self, model: ServedModel, batches: Sequence[int], settings: Mapping[str, Any]
    ) -> LoadedModel:
        return _Loaded(batches)


class _Loaded(LoadedModel):
    def __init__(self, batches: Sequence[int]) -> None:
        self._batches = tuple(batches)

    @property
    def batches(self) -> Sequence[int]:
        return self._batches

    def times(self, batch: int, *, first: bool) -> StageTimes:
        return StageTimes(0, BATCH_TIME + batch * SAMPLE_TIME, 0)

    def prepare(self, samples: Sequence[Arrays], batch: int) -> Any:
        return samples

    def execute(self, prepared: Any, batch: int) -> Any:
        return prepared

    def collect(self, results: Any, batch: int, count: int) -> Sequence[Arrays]:
        return results
