"""How windows slide over images: what convolutions and pools of top and tpu have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from ..ir.attribute import Ints

Pair = tuple[int, int]
Pads = tuple[int, int, int, int]


class Sliding(TypedDict):
    """How a window slides over an image, named as the numerics functions name it: pairs (vertical, horizontal) and pads
    (top, left, bottom, right), in pixels.
    """

    strides: Pair
    dilations: Pair
    pads: Pads


def pair(values: Sequence[int]) -> Pair:
    """Return the two numbers of a list as a pair."""
    first, second = values
    return first, second


def sliding(strides: Ints, dilations: Ints, pads: Ints) -> Sliding:
    """Return the window fields of an op as the numerics functions take them."""
    top, left, bottom, right = pads.get_values()
    return {
        "strides": pair(strides.get_values()),
        "dilations": pair(dilations.get_values()),
        "pads": (top, left, bottom, right),
    }
