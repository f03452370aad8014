"""The alignment of addresses, which says where buffers may begin in every memory."""

from __future__ import annotations

from ..numerics.rounding_up import round_up

ALIGNMENT_BYTES = 64
"""Buffers begin at multiples of this, in the memories of a core and in global memory."""


def align(size_bytes: int, alignment: int = ALIGNMENT_BYTES) -> int:
    """Round `size_bytes` up to a multiple of `alignment`."""
    return round_up(size_bytes, alignment)
