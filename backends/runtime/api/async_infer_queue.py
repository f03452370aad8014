"""A pool of requests that callers start one after the other without waiting for each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ...diagnostics.diagnostic import DiagnosticError
from ..clocks.clock import Event
from .compiled_model import CompiledModel
from .infer_request import InferRequest

T = TypeVar("T")


class AsyncInferQueue:
    """`jobs` requests of a model; 0 for as many as keep its devices busy."""

    def __init__(self, model: CompiledModel, jobs: int = 0) -> None:
        """Make the requests. Raises DiagnosticError if `jobs` is negative."""
        if jobs < 0:
            raise DiagnosticError(f"a queue cannot have {jobs} requests", hint="0: as many as help")
        self._model = model
        count = jobs or model.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._requests = [model.create_infer_request() for _ in range(count)]
        self._callback: Callable[[InferRequest, Any], object] | None = None
        self._lock = threading.Lock()
        self._idle = list(reversed(self._requests))
        self._waiters: list[Event] = []
        self._errors: list[BaseException] = []
        for request in self._requests:
            request.tell_when_idle(self._is_idle)

    def __len__(self) -> int:
        return len(self._requests)

    def __iter__(self) -> Iterator[InferRequest]:
        return iter(self._requests)

    def __getitem__(self, place: int) -> InferRequest:
        return self._requests[place]

    @property
    def userdata(self) -> list[Any]:
        """What was given with the last inference of each request."""
        return [request.userdata for request in self._requests]

    def set_callback(self, callback: Callable[[InferRequest, Any], object]) -> None:
        """Call a function with the request and the user's data at the end of each inference."""
        self._callback = callback

    def is_ready(self) -> bool:
        """Tell whether a request is idle."""
        return bool(self._idle)

    def get_idle_request_id(self) -> int:
        """Wait until a request is idle, and return its place."""
        request = self._when(lambda: self._idle[-1] if self._idle else None)
        return self._requests.index(request)

    def start_async(self, inputs: Any = None, userdata: Any = None) -> None:
        """Infer by the next request that is idle, and wait until there is one. Raises as `InferRequest.start_async`."""
        request = self._when(lambda: self._idle.pop() if self._idle else None)
        callback = self._callback
        request.set_callback(
            (lambda data: callback(request, data)) if callback is not None else None, userdata
        )
        try:
            request.start_async(inputs)
        except BaseException:
            self._give_back(request)
            raise

    def wait_all(self) -> None:
        """Wait for the end of all inferences; incomplete batches start at once. Raises the first of their errors."""
        self._model.flush()
        self._when(lambda: len(self._idle) == len(self._requests) or None)
        with self._lock:
            errors, self._errors = self._errors, []
        if errors:
            raise errors[0]

    def _when(self, given: Callable[[], T | None]) -> T:
        """Return what a function gives, as soon as it gives something; it is called while nothing changes."""
        while True:
            with self._lock:
                found = given()
                if found is not None:
                    return found
                event = self._model.clock.event()
                self._waiters.append(event)
            if not event.wait():
                raise RuntimeError("the clock was closed, or nothing is under way")

    def _is_idle(self, request: InferRequest) -> None:
        if request.error is not None:
            with self._lock:
                self._errors.append(request.error)
        self._give_back(request)

    def _give_back(self, request: InferRequest) -> None:
        with self._lock:
            self._idle.append(request)
            waiters, self._waiters = self._waiters, []
        for event in waiters:
            event.set()
