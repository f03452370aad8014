"""AUTO: several devices behind one; while the best one loads, another serves; one that fails is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from ..clocks.clock import Clock, Outcome
from ..device_choice.device_choice import DeviceChoice
from ..devices.loaded_model import LoadedModel
from ..requests.inference import Inference
from .server import Failed, QueueFull, Server

Serve = Callable[[LoadedModel, Failed], Server]
"""Puts a loaded model into service; the function that it gets is to be told of inferences that fail."""


class Stage(Enum):
    """How far a candidate has come."""

    IDLE = "idle"
    LOADING = "loading"
    READY = "ready"
    FREED = "freed"
    FAILED = "failed"


@dataclass(eq=False)
class Candidate:
    """A device that may serve. `load` takes `load_time` nanoseconds of virtual time; it raises what is wrong with the
    device. `serve` puts what it gives into service.
    """

    name: str
    load: Callable[[], LoadedModel]
    serve: Serve
    load_time: int = 0
    stage: Stage = Stage.IDLE
    server: Server | None = None

    @property
    def is_used(self) -> bool:
        """Whether inferences wait for it or run on it."""
        return self.server is not None and self.server.under_way > 0


@dataclass(frozen=True)
class AutoOptions:
    """`all_at_once`: whether all devices serve, as under CUMULATIVE_THROUGHPUT. `startup_helper`: the name of the
    device that serves while a better one loads; None for none. `runtime_fallback`: whether what fails on a device is
    run again on another. `most_held`: how many inferences may wait for a device to be loaded; None for any number.
    """

    all_at_once: bool = False
    startup_helper: str | None = "CPU"
    runtime_fallback: bool = True
    most_held: int | None = None


class Auto:
    """Gives inferences to `candidates`, which stand in the order of their priority. All methods are called in actions.

    Candidates load at once, as far as `options` want them, and the next one when none is left.
    """

    def __init__(
        self,
        clock: Clock,
        candidates: Sequence[Candidate],
        choice: DeviceChoice,
        options: AutoOptions,
    ) -> None:
        self._clock, self._candidates, self._choice = clock, candidates, choice
        self._options = options
        self._held: list[Inference] = []
        self._first_error: Exception | None = None
        for place, each in enumerate(candidates):
            if options.all_at_once or place == 0 or each.name == options.startup_helper:
                self._load(each)

    @property
    def execution_devices(self) -> list[str]:
        """The devices that serve now: those that get new inferences, and those that still run some."""
        serving = self._serving()
        ending = [each for each in self._candidates if each.is_used and each not in serving]
        return [each.name for each in (*serving, *ending)]

    def submit(self, inference: Inference) -> None:
        """Give an inference to a device, or keep it until one is ready; if none is left, fail it with what was wrong
        with the first one. Raises QueueFull.
        """
        most = self._options.most_held
        if not self._serving() and most is not None and len(self._held) >= most:
            raise QueueFull(f"{most} inferences wait for a device to be loaded, and no more may")
        self._place(inference, accepted=False)

    def cancel(self, inference: Inference) -> None:
        """End an inference, wherever it is."""
        if inference in self._held:
            self._held.remove(inference)
        for each in self._candidates:
            if each.server is not None:
                each.server.cancel(inference)
        inference.cancel(self._clock.now())

    def flush(self) -> None:
        """Let all that wait be due on their devices."""
        for each in self._candidates:
            if each.server is not None:
                each.server.flush()

    def retire(self) -> None:
        """Free the devices once nothing is under way. Nothing more may be submitted."""
        for each in self._candidates:
            self._free(each)

    def _serving(self) -> list[Candidate]:
        """Return the devices that get new inferences: all that are ready, or the best of them."""
        ready = [each for each in self._candidates if each.stage is Stage.READY]
        return ready if self._options.all_at_once else ready[:1]

    def _place(self, inference: Inference, *, accepted: bool) -> None:
        servers = [each.server for each in self._serving() if each.server is not None]
        if servers:
            servers[self._choice.choose(servers)].submit(inference, accepted=accepted)
        elif any(each.stage is Stage.LOADING for each in self._candidates):
            self._held.append(inference)
        else:
            error = self._first_error or RuntimeError("the devices are freed")
            inference.fail(error, self._clock.now())

    def _load(self, candidate: Candidate) -> None:
        candidate.stage = Stage.LOADING
        lane = self._clock.lane(f"{candidate.name}-load", always=True)

        def loaded(outcome: Outcome[LoadedModel]) -> None:
            lane.close()
            self._loaded(candidate, outcome)

        lane.do(candidate.load, candidate.load_time, loaded)

    def _loaded(self, candidate: Candidate, outcome: Outcome[LoadedModel]) -> None:
        if outcome.value is None:
            self._leave_out(candidate, outcome.error or RuntimeError("nothing was loaded"))
            return
        candidate.server = candidate.serve(
            outcome.value, lambda inference, error: self._failed(candidate, inference, error)
        )
        candidate.stage = Stage.READY
        if not self._options.all_at_once:
            for helper in [each for each in self._candidates if each.stage is Stage.READY][1:]:
                self._free(helper)
        self._place_held()

    def _free(self, candidate: Candidate) -> None:
        """Give a device nothing more; it ends what it has."""
        if candidate.stage is Stage.READY and candidate.server is not None:
            candidate.stage = Stage.FREED
            candidate.server.retire()

    def _failed(self, candidate: Candidate, inference: Inference, error: Exception) -> None:
        """Run an inference again elsewhere, and leave out the device that it failed on."""
        if not self._options.runtime_fallback:
            inference.fail(error, self._clock.now())
            return
        self._held.append(inference)
        self._leave_out(candidate, error)

    def _leave_out(self, candidate: Candidate, error: Exception) -> None:
        """Use a device no more: what waits for it is served elsewhere, by the next device if none is ready."""
        if candidate.stage is not Stage.FAILED:
            candidate.stage = Stage.FAILED
            self._first_error = self._first_error or error
            if candidate.server is not None:
                self._held += candidate.server.take_back()
                candidate.server.retire()
            if not any(each.stage in (Stage.READY, Stage.LOADING) for each in self._candidates):
                left = [
                    each for each in self._candidates if each.stage in (Stage.IDLE, Stage.FREED)
                ]
                for following in left[:1]:
                    self._load(following)
        self._place_held()

    def _place_held(self) -> None:
        held, self._held = self._held, []
        for inference in held:
            self._place(inference, accepted=True)
