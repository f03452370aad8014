"""Puts a model into service on the devices that a caller named."""

from __future__ import annotations

from collections.abc import Callable

from ...diagnostics.diagnostic import DiagnosticError
from ..batching.adaptive import Adaptive
from ..batching.batch_policy import BatchPolicy
from ..batching.fixed_size import FixedSize
from ..clocks.clock import MILLISECOND, Clock
from ..device_choice.device_choice import DeviceChoice
from ..device_choice.device_priority import DevicePriority
from ..device_choice.first_ready import FirstReady
from ..device_choice.round_robin import RoundRobin
from ..devices.device import Device
from ..devices.loaded_model import LoadedModel
from ..devices.served_model import ServedModel
from ..requests.deadlines import Deadlines
from ..requests.inference import Inference
from ..serving.auto import Auto, AutoOptions, Candidate, Stage
from ..serving.instance import Instance
from ..serving.server import Failed, Server
from ..serving.shared_device import SharedDevice
from .properties import Settings
from .property_values import BatchingPolicy, PerformanceMode, SchedulePolicy


class Loading:
    """A model that gets ready on a device: in batches of `batch`, or as the settings want it if that is None. It shares
    the device with all models that are loaded with the same `shared`.
    """

    def __init__(
        self,
        clock: Clock,
        device: Device,
        model: ServedModel,
        settings: Settings,
        shared: SharedDevice,
        batch: int | None = None,
    ) -> None:
        self.device, self.settings, self._shared = device, settings, shared
        self._clock, self._model, self._batch = clock, model, batch

    def load(self) -> LoadedModel:
        """Return the model, ready on the device. Raises DiagnosticError if it cannot run there."""
        batch = self._batch or self._auto_batch()
        loaded = self.device.load(self._model, sorted({1, batch}), self.settings)
        instances = self.settings["INSTANCES"]
        if instances > loaded.most_instances:
            raise DiagnosticError(
                f"{instances} instances do not fit {self.device.name}, which has room for "
                f"{loaded.most_instances}",
                hint="take fewer, or compile for fewer cores",
            )
        return loaded

    @property
    def most_under_way(self) -> int:
        """How many inferences keep the device busy at most, as far as that is known before the model is loaded."""
        batch = self._batch or (self.device.largest_batch if self._batches else 1)
        requests = self.settings["PERFORMANCE_HINT_NUM_REQUESTS"] or batch
        return min(batch, requests) * self.settings["INSTANCES"] * self.settings["SET_SIZE"]

    def serve(self, loaded: LoadedModel, failed: Failed | None = None) -> Server:
        """Return a server of the loaded model."""
        name = self.device.name
        instances = [
            Instance(loaded, self._clock, f"{name}-{number}", self.settings["SET_SIZE"])
            for number in range(self.settings["INSTANCES"])
        ]
        return Server(
            self._clock,
            name,
            instances,
            policy_of(self.settings, max(loaded.batches)),
            most_waiting=self.settings["MAX_QUEUE"] or None,
            shared=self._shared,
            priority=self.settings["MODEL_PRIORITY"].value,
            deadlines=Deadlines(
                self.settings["DEADLINE_ACTION"],
                min(loaded.times(batch, first=False).total for batch in loaded.batches),
            ),
            on_failure=failed,
        )

    @property
    def _batches(self) -> bool:
        """Whether inferences are gathered into batches."""
        hint = self.settings["PERFORMANCE_HINT"]
        return hint is not PerformanceMode.LATENCY and self.settings["ALLOW_AUTO_BATCHING"]

    def _auto_batch(self) -> int:
        """Return the size of batches under THROUGHPUT, if they are allowed."""
        if not self._batches:
            return 1
        best = self.device.optimal_batch(self._model, self.settings)
        return min(best, self.settings["PERFORMANCE_HINT_NUM_REQUESTS"] or best)


def policy_of(settings: Settings, batch: int) -> BatchPolicy:
    """Return the policy of batches of that size."""
    if batch == 1 or settings["BATCHING_POLICY"] is BatchingPolicy.ADAPTIVE:
        return Adaptive(batch)
    return FixedSize(batch, settings["AUTO_BATCH_TIMEOUT"] * MILLISECOND)


class SingleService:
    """A model on one device, which is ready."""

    def __init__(self, loading: Loading, loaded: LoadedModel) -> None:
        self._loading = loading
        self._server = loading.serve(loaded)
        self.devices, self.batch = [loading.device.name], max(loaded.batches)

    @property
    def execution_devices(self) -> list[str]:
        """The device."""
        return [self._loading.device.name]

    @property
    def capacity(self) -> int:
        """How many inferences keep it busy."""
        return self._server.capacity

    @property
    def loaded_from_cache(self) -> bool:
        """Whether nothing was compiled for the device."""
        return self._server.loaded_from_cache

    def submit(self, inference: Inference) -> None:
        """Take an inference. Raises QueueFull."""
        self._server.submit(inference)

    def cancel(self, inference: Inference) -> None:
        """End an inference."""
        self._server.cancel(inference)

    def flush(self) -> None:
        """Let all that wait be due."""
        self._server.flush()

    def retire(self) -> None:
        """Free the device once nothing is under way."""
        self._server.retire()

    def change(self, settings: Settings) -> None:
        """Heed settings that have changed."""
        change_policy(self._server, settings)


class AutoService:
    """A model on several devices, by priority, which get ready while others serve."""

    def __init__(self, clock: Clock, loadings: list[Loading], settings: Settings) -> None:
        mode = settings["PERFORMANCE_HINT"]
        together = mode is PerformanceMode.CUMULATIVE_THROUGHPUT
        helper = next((each.device.name for each in loadings if each.device.helps_at_startup), None)
        self._candidates = [
            Candidate(
                each.device.name, each.load, self._serving(each), each.device.load_nanoseconds()
            )
            for each in loadings
        ]
        self.devices = [each.name for each in self._candidates]
        self._changed: Settings | None = None
        self._most = max(each.most_under_way for each in loadings)
        self._auto = Auto(
            clock,
            self._candidates,
            _choice(settings) if together else FirstReady(),
            AutoOptions(
                all_at_once=together,
                startup_helper=helper if settings["ENABLE_STARTUP_FALLBACK"] else None,
                runtime_fallback=settings["ENABLE_RUNTIME_FALLBACK"],
                most_held=settings["MAX_QUEUE"] or None,
            ),
        )

    @property
    def execution_devices(self) -> list[str]:
        """The devices that serve now."""
        return self._auto.execution_devices

    @property
    def capacity(self) -> int:
        """How many inferences keep the devices busy: those that are ready, or the one that may take most."""
        return max(self._most, sum(server.capacity for server in self._ready()))

    @property
    def batch(self) -> int:
        """The largest batch that a device runs which is ready; 1 while none is."""
        return max((server.batch for server in self._ready()), default=1)

    @property
    def loaded_from_cache(self) -> bool:
        """Whether nothing was compiled for the devices that are ready."""
        servers = [each.server for each in self._candidates if each.server is not None]
        return bool(servers) and all(each.loaded_from_cache for each in servers)

    def submit(self, inference: Inference) -> None:
        """Take an inference. Raises QueueFull."""
        self._auto.submit(inference)

    def cancel(self, inference: Inference) -> None:
        """End an inference."""
        self._auto.cancel(inference)

    def flush(self) -> None:
        """Let all that wait be due."""
        self._auto.flush()

    def retire(self) -> None:
        """Free the devices once nothing is under way."""
        self._auto.retire()

    def change(self, settings: Settings) -> None:
        """Heed settings that have changed, on devices that get ready later too."""
        self._changed = settings
        for each in self._candidates:
            if each.server is not None:
                change_policy(each.server, settings)

    def _ready(self) -> list[Server]:
        return [
            each.server for each in self._candidates if each.stage is Stage.READY and each.server
        ]

    def _serving(self, loading: Loading) -> Callable[[LoadedModel, Failed], Server]:
        def serve(loaded: LoadedModel, failed: Failed) -> Server:
            server = loading.serve(loaded, failed)
            if self._changed is not None:
                change_policy(server, self._changed)
            return server

        return serve


def change_policy(server: Server, settings: Settings) -> None:
    """Let a server wait for full batches as long as settings say, with the priority that they say."""
    server.priority = settings["MODEL_PRIORITY"].value
    if isinstance(server.policy, FixedSize):
        server.policy.timeout = settings["AUTO_BATCH_TIMEOUT"] * MILLISECOND
    server.pump()


def _choice(settings: Settings) -> DeviceChoice:
    in_turn = settings["SCHEDULE_POLICY"] is SchedulePolicy.ROUND_ROBIN
    return RoundRobin() if in_turn else DevicePriority()
