"""Measures points on a Dask cluster: on many machines. `distributed` is an extra, smalti[dask]."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...backends.diagnostics.diagnostic import DiagnosticError, Place, words_of
from .evaluator import Evaluator
from .executor import ATTEMPTS, Done, given_up
from .process_pool import pickled_evaluator
from .space import Point

if TYPE_CHECKING:
    from distributed import Client, Future, as_completed

CONNECT_SECONDS = 8.0
"""How long a scheduler may take to answer."""
_POLL_SECONDS = 0.005
_PLUGIN = "smalti-search"
"""The name under which workers have the evaluator, the newest one only."""


class DaskCluster:
    """The workers of the scheduler at an address such as tcp://host:8786.

    `timeout_seconds`: how long a point may take before it is given to a worker again; None for any time.

    Raises DiagnosticError if `distributed` is not installed, or if no scheduler answers there within
    `CONNECT_SECONDS`.
    """

    def __init__(self, address: str, timeout_seconds: float | None = None) -> None:
        self.address = address
        self.timeout_seconds = timeout_seconds
        self._client: Client = _connected(address)

    def __enter__(self) -> DaskCluster:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def measure(self, evaluator: Evaluator, points: Sequence[Point]) -> Iterator[Done]:
        """Yield the measurements of all points, as `Executor.measure` does."""
        from distributed import CancelledError, KilledWorker, as_completed

        from .dask_worker import measure

        name = self._distribute(pickled_evaluator(evaluator))
        attempts = [0] * len(points)

        def submit(place: int) -> Future:
            return self._client.submit(
                measure, name, dict(points[place]), pure=False, priority=-place
            )

        places = {submit(place): place for place in range(len(points))}
        completed = as_completed(places, loop=self._client.loop, raise_errors=False)
        try:
            while places:
                future = self._next(completed)
                late = future is None
                if (
                    future is None
                ):  # what is behind others waits: only the first of them can be stuck
                    future = min(places, key=lambda each: places[each])
                elif future not in places:
                    continue  # a late one, which was cancelled
                place = places.pop(future)
                try:
                    answer = None if late else future.result()
                except (KilledWorker, CancelledError):
                    answer = None
                if isinstance(answer, DiagnosticError):
                    raise answer
                if answer is not None:
                    yield place, answer
                    continue
                future.cancel(force=True)
                attempts[place] += 1
                if attempts[place] == ATTEMPTS:
                    raise given_up(points[place], "took too long" if late else "crashed")
                again = submit(place)
                places[again] = place
                completed.add(again)
        finally:
            self._client.cancel(list(places), force=True)

    def _distribute(self, pickled: bytes) -> str:
        """Send an evaluator to all workers, and to those that come later; return the name that it has there."""
        from .dask_worker import EvaluatorPlugin

        name, failure = hashlib.sha256(pickled).hexdigest(), OSError()
        for attempt in range(ATTEMPTS):
            try:
                self._client.register_plugin(EvaluatorPlugin(name, pickled), name=_PLUGIN)
                return name
            except OSError as error:  # a worker dies just now
                failure = error
                time.sleep(attempt + 1)
        raise DiagnosticError(
            f"the workers cannot be reached: {words_of(failure)}",
            Place(name=f"--scheduler {self.address}"),
            hint="look at what the scheduler prints",
        )

    def _next(self, completed: as_completed) -> Future | None:
        """Return the next future that is done; None if none is for as long as a point may take."""
        began = time.monotonic()
        while not completed.has_ready():
            if self.timeout_seconds is not None and time.monotonic() - began > self.timeout_seconds:
                return None
            time.sleep(_POLL_SECONDS)
        return next(completed)


def _connected(address: str) -> Client:
    try:
        from distributed import Client
    except ImportError:
        raise DiagnosticError(
            "Dask is not installed", hint="pip install 'smalti[dask]', or leave --scheduler out"
        ) from None
    place = Place(name=f"--scheduler {address}")
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError) as error:
        reason = (str(error) or "no answer").splitlines()[0]
        raise DiagnosticError(
            f"no scheduler of Dask answers: {reason}",
            place,
            hint="start one with `dask scheduler`, and workers with `dask worker ADDRESS`",
        ) from None
    except ValueError as error:
        message = f"this is no address of a scheduler: {error}"
        raise DiagnosticError(message, place, hint="write tcp://host:8786") from None
