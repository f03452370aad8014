"""The policy of LATENCY and THROUGHPUT: one device serves."""

from __future__ import annotations

from collections.abc import Sequence

from .device_choice import ReadyDevice


class FirstReady:
    """Takes the device of the highest priority."""

    def choose(self, ready: Sequence[ReadyDevice]) -> int:
        """Return the first place."""
        return 0
