"""Observers of the shared pattern driver, which are told of each op that is visited, removed or made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from xdsl.ir import Operation


class RewriteObserver(Protocol):
    """What an observer is told, in this order. Ops that are erased because nobody uses them are not part of a rewrite,
    and are not reported.
    """

    def visited(self, op: Operation) -> None:
        """Take note that patterns are about to be tried on `op`."""
        ...

    def removed(self, op: Operation) -> None:
        """Take note that a pattern is about to remove `op`, which is still intact."""
        ...

    def rewritten(self, pattern: str, op: Operation, made: Sequence[Operation]) -> None:
        """Take note that pattern `pattern` rewrote `op`; `made` are the ops that it made, with their locations and
        names.
        """
        ...


_OBSERVERS: ContextVar[tuple[RewriteObserver, ...]] = ContextVar("rewrite_observers", default=())


def current_observers() -> tuple[RewriteObserver, ...]:
    """Return the observers that are in use now."""
    return _OBSERVERS.get()


@contextmanager
def observing(observer: RewriteObserver) -> Iterator[None]:
    """Let `observer` observe the rewrites inside a `with`."""
    token = _OBSERVERS.set((*_OBSERVERS.get(), observer))
    try:
        yield
    finally:
        _OBSERVERS.reset(token)
