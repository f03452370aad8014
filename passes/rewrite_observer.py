"""Who looks on while the shared pattern driver rewrites: told of each op that is visited, removed and made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from xdsl.ir import Operation


class RewriteObserver(Protocol):
    """What an observer is told, in this order; ops that die unused are no rewrite and not told of."""

    def visited(self, op: Operation) -> None:
        """Patterns are about to be tried on `op`."""
        ...

    def removed(self, op: Operation) -> None:
        """A pattern is about to remove `op`, which is still whole."""
        ...

    def rewritten(self, pattern: str, op: Operation, made: Sequence[Operation]) -> None:
        """Pattern `pattern` rewrote `op`; `made` are the ops that it made, located and named."""
        ...


_OBSERVERS: ContextVar[tuple[RewriteObserver, ...]] = ContextVar("rewrite_observers", default=())


def current_observers() -> tuple[RewriteObserver, ...]:
    """The observers of the rewrites that happen now."""
    return _OBSERVERS.get()


@contextmanager
def observing(observer: RewriteObserver) -> Iterator[None]:
    """Lets `observer` look on inside a `with`."""
    token = _OBSERVERS.set((*_OBSERVERS.get(), observer))
    try:
        yield
    finally:
        _OBSERVERS.reset(token)
