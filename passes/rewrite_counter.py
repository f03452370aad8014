"""A debug counter for the shared pattern driver: counts rewrites, and allows only the first few.

As LLVM's DebugCounter: with it a tool finds the one rewrite that makes a fault show.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class RewriteCounter:
    """The rewrites that the driver did while this counter was in use: (pattern, place) in order.

    After `limit` rewrites (None: no limit) the driver leaves all ops as they are.
    """

    limit: int | None = None
    done: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_spent(self) -> bool:
        """Whether no more rewrites are allowed."""
        return self.limit is not None and len(self.done) >= self.limit


_CURRENT: ContextVar[RewriteCounter | None] = ContextVar("rewrite_counter", default=None)


def current_counter() -> RewriteCounter | None:
    """Return the counter that is in use, or None."""
    return _CURRENT.get()


@contextmanager
def counting(counter: RewriteCounter) -> Iterator[RewriteCounter]:
    """Use a counter inside a `with`."""
    token = _CURRENT.set(counter)
    try:
        yield counter
    finally:
        _CURRENT.reset(token)
