"""A pool of requests that callers start one after the other without waiting for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .compiled_model import CompiledModel
from .infer_request import InferRequest


class AsyncInferQueue:
    """`jobs` requests of a model; 0 for as many as keep its devices busy."""

    def __init__(self, model: CompiledModel, jobs: int = 0) -> None:
        self._model = model
        count = jobs or model.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._requests = [model.create_infer_request() for _ in range(count)]
        self._callback: Callable[[InferRequest, Any], None] | None = None
        self._idle = list(reversed(self._requests))
        self._freed = model.clock.event()
        self._errors: list[Exception] = []
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

    def set_callback(self, callback: Callable[[InferRequest, Any], None]) -> None:
        """Call a function with the request and the user's data at the end of each inference."""
        self._callback = callback

    def is_ready(self) -> bool:
        """Tell whether a request is idle."""
        return bool(self._idle)

    def get_idle_request_id(self) -> int:
        """Wait until a request is idle, and return its place."""
        self._wait_for_idle()
        return self._requests.index(self._idle[-1])

    def start_async(self, inputs: Any = None, userdata: Any = None) -> None:
        """Infer by the next request that is idle, and wait until there is one. Raises as `InferRequest.start_async`."""
        self._wait_for_idle()
        request, callback = self._idle.pop(), self._callback
        if callback is not None:
            request.set_callback(lambda data: callback(request, data), userdata)
        try:
            request.start_async(inputs, userdata)
        except BaseException:
            self._idle.append(request)
            raise

    def wait_all(self) -> None:
        """Wait for the end of all inferences; incomplete batches start at once. Raises the first of their errors."""
        self._model.flush()
        self._wait_for(lambda: len(self._idle) == len(self._requests))
        errors, self._errors = self._errors, []
        if errors:
            raise errors[0]

    def _wait_for_idle(self) -> None:
        self._wait_for(lambda: bool(self._idle))

    def _wait_for(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            freed = self._freed = self._model.clock.event()
            if not is_so():
                freed.wait()

    def _is_idle(self, request: InferRequest) -> None:
        if request.error is not None:
            self._errors.append(request.error)
        self._idle.append(request)
        self._freed.set()
