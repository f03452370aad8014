"""A model that is ready on a device, or getting ready on several."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError
from ..clocks.clock import MILLISECOND, Clock, Event
from ..devices.served_model import ServedModel
from ..requests.inference import Inference
from .infer_request import InferRequest
from .properties import Settings, by_name, name_of, property_named
from .results import Port, Results


class Front(Protocol):
    """What inferences are given to: the server of a device, or AUTO."""

    @property
    def devices(self) -> list[str]:
        """The devices that may serve, by priority."""
        ...

    @property
    def execution_devices(self) -> list[str]:
        """The devices that serve now."""
        ...

    @property
    def batch(self) -> int:
        """The largest batch that is run; 1 while no device is ready."""
        ...

    @property
    def capacity(self) -> int:
        """How many inferences keep the devices busy."""
        ...

    @property
    def loaded_from_cache(self) -> bool:
        """Whether nothing was compiled for the devices that are ready."""
        ...

    def submit(self, inference: Inference) -> None:
        """Take an inference. Raises QueueFull."""
        ...

    def cancel(self, inference: Inference) -> None:
        """End an inference."""
        ...

    def flush(self) -> None:
        """Let all that wait be due."""
        ...

    def retire(self) -> None:
        """Free the devices once nothing is under way."""
        ...

    def change(self, settings: Settings) -> None:
        """Heed settings that have changed."""
        ...


class CompiledModel:
    """Serves inferences of any number of callers; made by `Core.compile_model`."""

    def __init__(
        self, source: ServedModel, clock: Clock, settings: Settings, front: Callable[[], Front]
    ) -> None:
        """Put a model into service; `front` is called in an action, and raises what is wrong with the devices."""
        self.source, self.clock = source, clock
        self._settings = settings
        self._inputs = [Port(port) for port in source.inputs]
        self._outputs = [Port(port) for port in source.outputs]
        self._under_way: dict[Inference, None] = {}
        self._is_closed = False
        self._emptied: Event | None = None
        self._front = clock.ask(front)
        # Who never closes a model leaves no threads behind.
        self._freed = weakref.finalize(self, _retire, clock, self._front)
        self._freed.atexit = False

    def __enter__(self) -> CompiledModel:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def inputs(self) -> list[Port]:
        """The model's inputs."""
        return list(self._inputs)

    @property
    def outputs(self) -> list[Port]:
        """The model's outputs."""
        return list(self._outputs)

    def input(self, key: int | str = 0) -> Port:
        """Return an input by its place or name. Raises DiagnosticError if there is none such."""
        return _port(self._inputs, key, "input")

    def output(self, key: int | str = 0) -> Port:
        """Return an output by its place or name. Raises DiagnosticError if there is none such."""
        return _port(self._outputs, key, "output")

    def create_infer_request(self) -> InferRequest:
        """Return a new request."""
        return InferRequest(self)

    def __call__(self, inputs: Any = None, share_inputs: bool = True) -> Results:
        """Infer once, as `infer_new_request`; nobody can change the arrays meanwhile but other threads."""
        return self.create_infer_request().infer(inputs, share_inputs)

    def infer_new_request(self, inputs: Any = None) -> Results:
        """Infer by a request that is made for it. Raises as `InferRequest.infer`."""
        return self.create_infer_request().infer(inputs)

    async def infer_async(self, inputs: Any = None, *, deadline: float | None = None) -> Results:
        """Infer without blocking asyncio's loop. Raises as `InferRequest.infer`; a task that is canceled cancels it."""
        request = self.create_infer_request()
        request.start_async(inputs, deadline=deadline)
        try:
            await request.wait_async()
        except asyncio.CancelledError:
            request.cancel()
            raise
        return request.results

    def get_property(self, name: object) -> Any:
        """Return a property. Raises DiagnosticError if there is none such."""
        known, key = self._read_only(), name_of(name)
        return known[key]() if key in known else self._settings[property_named(key, known).name]

    def set_property(self, properties: Mapping[Any, object] | tuple[Any, object]) -> None:
        """Change properties that may change in service. Raises DiagnosticError for others, before any has changed."""
        properties = by_name(properties)
        for key in properties:
            if key in self._read_only() or not property_named(key).is_mutable:
                raise DiagnosticError(
                    f"property {key} cannot be changed of a compiled model",
                    hint=None if key in self._read_only() else "give it to compile_model",
                )
        self._settings = self._settings.with_values(properties)
        self.clock.ask(lambda: self._front.change(self._settings))

    def start(
        self,
        inputs: Mapping[str, np.ndarray],
        on_end: Callable[[Inference], None],
        deadline: float | None = None,
    ) -> Inference:
        """Give an inference to the devices. `deadline`: in milliseconds from now; None for what is set.

        Raises QueueFull, and DiagnosticError if the model is closed or the deadline is no time to come.
        """
        within = self._settings["DEADLINE"] or None
        if deadline is not None:
            within = property_named("DEADLINE").read(deadline)

        def submit() -> Inference:
            if self._is_closed:
                raise DiagnosticError("the compiled model is closed")
            now = self.clock.now()
            latest = None if within is None else now + round(within * MILLISECOND)
            inference = Inference(inputs, now, on_end, deadline=latest)
            self._under_way[inference] = None
            try:
                self._front.submit(inference)
            except BaseException:
                del self._under_way[inference]
                raise
            return inference

        return self.clock.ask(submit)

    def cancel(self, inference: Inference) -> None:
        """End an inference."""
        self.clock.ask(lambda: self._front.cancel(inference))

    def flush(self) -> None:
        """Let incomplete batches start: the caller sends no more."""
        self.clock.ask(self._front.flush)

    def through(self, inference: Inference) -> None:
        """Note, in an action, that an inference and its callback are through."""
        self._under_way.pop(inference, None)
        if self._emptied is not None and not self._under_way:
            self._emptied.set()

    def close(self, *, cancel: bool = False) -> None:
        """Take no more inferences, wait for those under way or `cancel` them, and for callbacks; free the devices."""
        emptied = self.clock.event()

        def begin() -> bool:
            if self._is_closed:
                return False
            self._is_closed, self._emptied = True, emptied
            if cancel:
                for inference in list(self._under_way):
                    self._front.cancel(inference)
            self._front.flush()
            if not self._under_way:
                emptied.set()
            return True

        if self.clock.ask(begin):
            emptied.wait()
            self._freed()

    def _read_only(self) -> dict[str, Callable[[], Any]]:
        """Return the properties that follow from others, as functions that give them."""
        return {
            "NETWORK_NAME": lambda: self.source.name,
            "EXECUTION_DEVICES": lambda: self.clock.ask(lambda: self._front.execution_devices),
            "MULTI_DEVICE_PRIORITIES": lambda: ",".join(self._front.devices),
            "OPTIMAL_NUMBER_OF_INFER_REQUESTS": lambda: self.clock.ask(
                lambda: self._front.capacity
            ),
            "OPTIMAL_BATCH_SIZE": lambda: self.clock.ask(lambda: self._front.batch),
            "LOADED_FROM_CACHE": lambda: self.clock.ask(lambda: self._front.loaded_from_cache),
            "SUPPORTED_PROPERTIES": self._supported,
        }

    def _supported(self) -> dict[str, str]:
        readable = dict.fromkeys(self._read_only(), "RO")
        return readable | {
            name: "RW" if property_named(name).is_mutable else "RO" for name in self._settings
        }


def _retire(clock: Clock, front: Front) -> None:
    """Free the devices of a model that is closed, or that nobody has any more."""
    with suppress(RuntimeError):  # a clock that is closed has no actions
        clock.call_soon(front.retire)


def _port(ports: Sequence[Port], key: int | str, what: str) -> Port:
    if isinstance(key, int) and 0 <= key < len(ports):
        return ports[key]
    for port in ports:
        if port.any_name == key:
            return port
    names = ", ".join(port.any_name for port in ports)
    raise DiagnosticError(f"there is no {what} {key!r}", hint=f"there are {names}")
