"""The sweeps of the fast tests."""

from __future__ import annotations

from .layers import LAYERS
from .sweeps import AXES, Sweep


def _spread() -> list[Sweep]:
    """Each layer in both formats, along axes that follow one another, and four sweeps of layers that many networks
    have.
    """
    axes = [*AXES]
    found: list[Sweep] = []
    for number, layer in enumerate(LAYERS):
        found.append(Sweep(layer, "int8", axes[number % len(axes)]))
        found.append(Sweep(layer, "f32", axes[(number + 3) % len(axes)]))
    return [
        *found,
        Sweep("conv_depthwise", "int8", "lanes"),
        Sweep("conv_depthwise", "int8", "cores"),
        Sweep("conv_3x3", "f32", "cores"),
        Sweep("product_of_vector", "int8", "cores"),
    ]


CHOSEN = tuple(_spread())
"""40 sweeps, chosen before any result was known."""
