"""Compares the calibrated ranges of values that would have to share one 8-bit scale."""

from __future__ import annotations

from xdsl.ir import SSAValue

from ...backends.numerics.quantization import activation_parameters
from ...dialects.quant import CalibratedType
from ...dialects.quant.element_type import element_of

MOST_RATIO = 32
"""How much wider a result's range may be than an operand's, which is then left with 8 of 256 steps."""


def range_ratio(wide: SSAValue, narrow: SSAValue) -> float | None:
    """Return how many times the 8-bit step of `wide` is that of `narrow`; None if one of them has no range of use."""
    steps = [_step(value) for value in (wide, narrow)]
    if steps[0] is None or steps[1] is None:
        return None
    return steps[0] / steps[1]


def _step(value: SSAValue) -> float | None:
    """Return the 8-bit step of a value's calibrated range."""
    element = element_of(value)
    if not isinstance(element, CalibratedType):
        return None
    try:
        return float(activation_parameters(element.low, element.high)[0])
    except ValueError:
        return None
