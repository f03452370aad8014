"""AUTO: several devices behind one; while the best one loads, another serves; one that fails is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from ...diagnostics.diagnostic import DiagnosticError
from ..clocks.clock import Clock, Outcome
from ..device_choice.device_choice import DeviceChoice
from ..devices.loaded_model import LoadedModel
from ..requests.inference import Inference, State
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

    An inference that fails on a device runs on the next one. Once another device has served it, the first one is left
    out; if none can, its caller gets the first error, and the devices stay: the fault is the inference's.
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
        self._errors: dict[Inference, dict[Candidate, BaseException]] = {}
        self._first_error: BaseException | None = None
        self._flushed = -1
        self._is_retired = False
        self._load_wanted()

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
        self._errors.pop(inference, None)

    def flush(self) -> None:
        """Let all that wait be due on their devices, those too that wait for a device to be loaded."""
        self._flushed = self._clock.now()
        for each in self._candidates:
            if each.server is not None:
                each.server.flush()

    def retire(self) -> None:
        """Free the devices once nothing is under way. Nothing more may be submitted."""
        self._is_retired = True
        for each in self._candidates:
            self._free(each)

    def _serving(self) -> list[Candidate]:
        """Return the devices that get new inferences: all that are ready, or the best of them."""
        ready = [each for each in self._candidates if each.stage is Stage.READY]
        return ready if self._options.all_at_once else ready[:1]

    def _load_wanted(self) -> None:
        """Begin to load what is missing: all devices, or the best one that is not left out, and its helper."""
        usable = [each for each in self._candidates if each.stage is not Stage.FAILED]
        wanted = usable if self._options.all_at_once else usable[:1]
        if wanted and wanted[0].stage is not Stage.READY:
            wanted = [
                *wanted,
                *(each for each in usable if each.name == self._options.startup_helper),
            ]
        for each in wanted:
            self._load(each)

    def _place(self, inference: Inference, *, accepted: bool) -> None:
        """Give an inference to a device on which it has not failed."""
        failed = self._errors.get(inference, {})
        ready = [each for each in self._serving() if each not in failed]
        if not ready and failed:
            ready = [
                each
                for each in self._candidates
                if each.stage is Stage.READY and each not in failed
            ]
        servers = [each.server for each in ready if each.server is not None]
        roomy = servers if accepted else [each for each in servers if each.has_room] or servers
        if roomy:
            roomy[self._choice.choose(roomy)].submit(inference, accepted=accepted)
            return
        others = [
            each
            for each in self._candidates
            if each.stage is not Stage.FAILED and each not in failed
        ]
        if others and not self._is_retired:
            self._held.append(inference)
            if all(each.stage is not Stage.LOADING for each in others):
                self._load(others[0])
            return
        error = next(iter(failed.values()), self._first_error)
        self._errors.pop(inference, None)
        inference.fail(error or RuntimeError("the devices are freed"), self._clock.now())

    def _load(self, candidate: Candidate) -> None:
        if candidate.stage not in (Stage.IDLE, Stage.FREED):
            return
        candidate.stage = Stage.LOADING
        lane = self._clock.lane(f"{candidate.name}-load", always=True)

        def loaded(outcome: Outcome[LoadedModel]) -> None:
            lane.close()
            if self._is_retired:
                candidate.stage = Stage.FREED
            elif outcome.value is None:
                self._leave_out(candidate, outcome.error or RuntimeError("nothing was loaded"))
            else:
                self._begin(candidate, outcome.value)
            self._place_held()

        lane.do(candidate.load, candidate.load_time, loaded)

    def _begin(self, candidate: Candidate, model: LoadedModel) -> None:
        """Let a device serve that is ready, and free its helpers."""
        candidate.server = candidate.serve(
            model, lambda inference, error: self._failed(candidate, inference, error)
        )
        candidate.server.flush(self._flushed)
        candidate.stage = Stage.READY
        self._free_helpers()

    def _free_helpers(self) -> None:
        """Free all devices but the best one, unless inferences that failed there need them."""
        if not self._options.all_at_once and not self._errors:
            for helper in [each for each in self._candidates if each.stage is Stage.READY][1:]:
                self._free(helper)

    def _free(self, candidate: Candidate) -> None:
        """Give a device nothing more; it ends what it has."""
        if candidate.stage is Stage.READY and candidate.server is not None:
            candidate.stage = Stage.FREED
            candidate.server.retire()

    def _failed(self, candidate: Candidate, inference: Inference, error: BaseException) -> None:
        """Run an inference elsewhere that failed on a device, or that does not fit it."""
        if not self._options.runtime_fallback:
            inference.fail(error, self._clock.now())
            return
        if inference not in self._errors:
            self._errors[inference] = {}
            inference.on_end = self._judging(inference.on_end)
        self._errors[inference][candidate] = error
        self._place(inference, accepted=True)

    def _judging(self, end: Callable[[Inference], None]) -> Callable[[Inference], None]:
        """Return what leaves out the devices on which an inference failed that another one has served."""

        def ended(inference: Inference) -> None:
            failed = self._errors.pop(inference, {})
            if inference.state is State.DONE:
                for candidate, error in failed.items():
                    if not isinstance(error, DiagnosticError):
                        self._leave_out(candidate, error)
            end(inference)
            self._free_helpers()
            self._place_held()

        return ended

    def _leave_out(self, candidate: Candidate, error: BaseException) -> None:
        """Use a device no more: what waits for it is served elsewhere."""
        if candidate.stage is Stage.FAILED:
            return
        candidate.stage = Stage.FAILED
        self._first_error = self._first_error or error
        if candidate.server is not None:
            self._held += candidate.server.take_back()
            candidate.server.retire()
        self._load_wanted()

    def _place_held(self) -> None:
        held, self._held = self._held, []
        for inference in held:
            self._place(inference, accepted=True)
