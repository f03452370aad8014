"""A device that computes nothing, and takes the time that it is told."""

from collections.abc import Mapping, Sequence
from typing import Any

from smalti.backends.runtime.batching.batch_policy import BatchPolicy
from smalti.backends.runtime.clocks.clock import Clock
from smalti.backends.runtime.clocks.virtual_clock import VirtualClock
from smalti.backends.runtime.devices.loaded_model import LoadedModel, StageTimes
from smalti.backends.runtime.requests.inference import Arrays, Inference
from smalti.backends.runtime.serving.instance import Instance
from smalti.backends.runtime.serving.server import Server


class TimedModel(LoadedModel):
    """`device_times`: of a run of each compiled batch; `host`: before the device, and after it. Outputs are inputs.

    It fails as often as `failures` says, at its next runs.
    """

    def __init__(self, device_times: Mapping[int, int], host: int = 0, cold: int = 0) -> None:
        self.device_times, self.host, self.cold = dict(device_times), host, cold
        self.failures = 0

    @property
    def batches(self) -> Sequence[int]:
        return sorted(self.device_times)

    def times(self, batch: int, *, first: bool) -> StageTimes:
        device = self.device_times[batch] + (self.cold if first else 0)
        return StageTimes(self.host, device, self.host)

    def prepare(self, samples: Sequence[Arrays], batch: int) -> Any:
        assert len(samples) <= batch
        return list(samples)

    def execute(self, prepared: Any, batch: int) -> Any:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the device failed")
        return prepared

    def collect(self, results: Any, batch: int, count: int) -> Sequence[Arrays]:
        return results[:count]


class Traffic:
    """Inferences that arrive at given times, and what becomes of them."""

    def __init__(self, clock: Clock, server: Server) -> None:
        self.clock, self.server = clock, server
        self.inferences: list[Inference] = []
        self.ended: list[Inference] = []

    def arrive(self, time: int, **given: Any) -> None:
        """Let an inference arrive at a time."""

        def submit() -> None:
            inference = Inference(None, self.clock.now(), self.ended.append, **given)
            self.inferences.append(inference)
            self.server.submit(inference)

        self.clock.call_at(time, submit)

    @property
    def latencies(self) -> list[int]:
        """How long each one took, in the order of arrival."""
        return [(each.ended or 0) - each.arrived for each in self.inferences]


def traffic(
    policy: BatchPolicy,
    times: Mapping[int, int],
    arrivals: Sequence[int],
    *,
    instances: int = 1,
    set_size: int = 1,
    host: int = 0,
    **given: Any,
) -> Traffic:
    """Let inferences arrive in virtual time at a device of those times, and run until nothing more happens."""
    clock = VirtualClock()
    model = TimedModel(times, host)
    served = [Instance(model, clock, f"i{number}", set_size) for number in range(instances)]
    found = Traffic(clock, Server(clock, "TIMED", served, policy, **given))
    for time in arrivals:
        found.arrive(time)
    clock.run()
    return found
