"""Registers the conversion of each op of `top`; families of ops and plugins register theirs in the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdsl.ir import Operation

from ...backends.diagnostics.diagnostic import DiagnosticError
from . import (
    arithmetic,
    call,
    constant,
    convolution,
    movement,
    normalization,
    pointwise,
    pooling,
    product,
    quantization,
    reduction,
    resampling,
)
from .tpu_builder import Conversions, TpuBuilder

_CONVERSIONS: dict[type[Operation], Callable[[TpuBuilder, Any], None]] = {}


def register_conversions(conversions: Conversions) -> None:
    """Add the conversions of some ops.

    Raises DiagnosticError if an op has a conversion already.
    """
    for op, conversion in conversions.items():
        if op in _CONVERSIONS:
            raise DiagnosticError(f"there is a conversion of {op.name} already")
        _CONVERSIONS[op] = conversion


def conversion_of(op: Operation) -> Callable[[TpuBuilder, Any], None] | None:
    """Return the function that converts `op` to `tpu`; None if there is none."""
    return _CONVERSIONS.get(type(op))


for _family in (
    arithmetic,
    call,
    constant,
    convolution,
    movement,
    normalization,
    pointwise,
    pooling,
    product,
    quantization,
    reduction,
    resampling,
):
    register_conversions(_family.CONVERSIONS)
