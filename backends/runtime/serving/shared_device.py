"""The cores of a device, shared by all models that are loaded on it."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol


class Sharer(Protocol):
    """The server of a model, as far as the device sees it."""

    @property
    def rank(self) -> tuple[float, float]:
        """What orders servers that wait: the lower one is first."""
        ...

    def pump(self) -> None:
        """Start what is due."""
        ...


class SharedDevice:
    """Lends parts of a device to instances while they run. All methods are called in actions.

    Servers that wait for a part stand in one line, by rank. Nobody overtakes the first one, even with an instance that
    runs already or needs less than is free: else a model on few cores would keep one on many waiting for ever.
    """

    def __init__(self) -> None:
        self._free = Fraction(1)
        self._waiting: dict[Sharer, None] = {}

    def take(self, server: Sharer, part: Fraction) -> bool:
        """Take a part of the device, 0 for an instance that has its part; if it is not the server's turn, or too little
        is free, let it wait and return False.
        """
        self._waiting.pop(server, None)
        rank = server.rank
        if part > self._free or any(each.rank < rank for each in self._waiting):
            self._waiting[server] = None
            return False
        self._free -= part
        return True

    def give_back(self, part: Fraction) -> None:
        """Take back a part; servers that wait are not told before `pump`."""
        self._free += part

    def waits(self, server: Sharer) -> bool:
        """Tell whether a server waits."""
        return server in self._waiting

    def leave(self, server: Sharer) -> bool:
        """Let a server wait no more; tell whether it did."""
        return self._waiting.pop(server, self) is None

    def pump(self) -> None:
        """Let servers that wait start what they can, in their order."""
        for each in sorted(self._waiting, key=lambda server: server.rank):
            if each in self._waiting:
                each.pump()
