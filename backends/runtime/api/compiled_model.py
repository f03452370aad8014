"""A model that is ready on a device, or getting ready on several."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError
from ..clocks.clock import Clock
from ..clocks.virtual_clock import VirtualClock
from ..devices.served_model import ServedModel
from ..requests.inference import Inference
from .infer_request import InferRequest
from .properties import Settings, name_of, property_named
from .property_values import Priority
from .results import Port, Results

_PRIORITIES = {Priority.HIGH: 1, Priority.MEDIUM: 2, Priority.LOW: 3}


class Front(Protocol):
    """What inferences are given to: the server of a device, or AUTO."""

    @property
    def execution_devices(self) -> list[str]:
        """The devices that serve now."""
        ...

    @property
    def capacity(self) -> int:
        """How many inferences keep the devices busy."""
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
        self.callbacks = clock.lane("smalti-callbacks", always=True)
        self._front = clock.ask(front)

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

    def __call__(self, inputs: Any = None) -> Results:
        """Infer once, as `infer_new_request`."""
        return self.infer_new_request(inputs)

    def infer_new_request(self, inputs: Any = None) -> Results:
        """Infer by a request that is made for it. Raises as `InferRequest.infer`."""
        return self.create_infer_request().infer(inputs)

    async def infer_async(self, inputs: Any = None) -> Results:
        """Infer without blocking asyncio's loop. Raises as `InferRequest.infer`; a task that is canceled cancels it."""
        request = self.create_infer_request()
        loop, through = asyncio.get_running_loop(), asyncio.Event()
        request.set_callback(lambda _: loop.call_soon_threadsafe(through.set))
        request.start_async(inputs)
        if isinstance(self.clock, VirtualClock):
            request.wait()
        try:
            await through.wait()
        except asyncio.CancelledError:
            request.cancel()
            raise
        request.wait()
        return request.results

    def get_property(self, name: object) -> Any:
        """Return a property. Raises DiagnosticError if there is none such."""
        known = self._read_only()
        return (
            known[key]()
            if (key := name_of(name)) in known
            else self._settings[property_named(key).name]
        )

    def set_property(self, properties: Mapping[Any, object]) -> None:
        """Change properties that may change in service. Raises DiagnosticError for others, before any has changed."""
        for key in properties:
            if not property_named(name_of(key)).is_mutable:
                raise DiagnosticError(
                    f"property {name_of(key)} cannot be changed of a compiled model",
                    hint="give it to compile_model",
                )
        self._settings = self._settings.with_values(properties)
        self.clock.ask(lambda: self._front.change(self._settings))

    def start(
        self, inputs: Mapping[str, np.ndarray], on_end: Callable[[Inference], None]
    ) -> Inference:
        """Give an inference to the devices. Raises QueueFull, and DiagnosticError if the model is closed."""
        if self._is_closed:
            raise DiagnosticError("the compiled model is closed")

        def ended(inference: Inference) -> None:
            self._under_way.pop(inference, None)
            on_end(inference)

        def submit() -> Inference:
            priority = _PRIORITIES[self._settings["MODEL_PRIORITY"]]
            inference = Inference(inputs, self.clock.now(), ended, priority)
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

    def close(self, *, cancel: bool = False) -> None:
        """Take no more inferences, wait for those under way, or `cancel` them, and free the devices."""
        if self._is_closed:
            return
        self._is_closed = True
        if cancel:
            for inference in self.clock.ask(lambda: list(self._under_way)):
                self.cancel(inference)
        self.flush()
        while self._under_way:
            self.clock.event().wait(1_000_000)
        self.clock.ask(self._front.retire)
        self.callbacks.close()

    def _read_only(self) -> dict[str, Callable[[], Any]]:
        """Return the properties that follow from others, as functions that give them."""
        return {
            "NETWORK_NAME": lambda: self.source.name,
            "EXECUTION_DEVICES": lambda: self.clock.ask(lambda: self._front.execution_devices),
            "OPTIMAL_NUMBER_OF_INFER_REQUESTS": lambda: self.clock.ask(
                lambda: self._front.capacity
            ),
            "SUPPORTED_PROPERTIES": self._supported,
        }

    def _supported(self) -> dict[str, str]:
        readable = dict.fromkeys(self._read_only(), "RO")
        return readable | {
            name: "RW" if property_named(name).is_mutable else "RO" for name in self._settings
        }


def _port(ports: Sequence[Port], key: int | str, what: str) -> Port:
    if isinstance(key, int) and 0 <= key < len(ports):
        return ports[key]
    for port in ports:
        if port.any_name == key:
            return port
    names = ", ".join(port.any_name for port in ports)
    raise DiagnosticError(f"there is no {what} {key!r}", hint=f"there are {names}")
