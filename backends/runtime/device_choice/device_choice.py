"""What a policy of choosing devices decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class ReadyDevice(Protocol):
    """A device that serves inferences, as far as policies see it."""

    @property
    def under_way(self) -> int:
        """How many inferences wait for it or run on it."""
        ...

    @property
    def capacity(self) -> int:
        """How many inferences keep it busy."""
        ...


class DeviceChoice(Protocol):
    """Chooses among the devices that are ready, which stand in the order of their priority."""

    def choose(self, ready: Sequence[ReadyDevice]) -> int:
        """Return the place of the device that gets the next inference; `ready` is not empty."""
        ...
