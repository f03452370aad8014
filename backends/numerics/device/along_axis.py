"""Computes what the host does for an instruction; the conventions are those of __init__.py."""

from __future__ import annotations

import numpy as np

from ..host import call_function
from ..storage import dtype_of
from .tile_buffer import shaped


def host_call(
    x: np.ndarray,
    *,
    function: str,
    type: str,
    out_type: str,
    x_segment: str,
    out_segment: str,
    outer: int,
    length: int,
    inner: int,
    out_length: int,
    largest: int = 0,
    last: int = 0,
    exclusive: int = 0,
    reverse: int = 0,
) -> np.ndarray:
    """Compute out[outer, out_length, inner] of `out_type`: the host's `function` of x[outer, length, inner] of `type`.
    The segments say where in global memory they lie.
    """
    flags = {"largest": largest, "last": last, "exclusive": exclusive, "reverse": reverse}
    values = shaped(x, (outer, length, inner), "x", type)
    result = call_function(function, values, out_length, flags)
    if result.dtype != dtype_of(out_type):
        raise ValueError(f"{function} gives {result.dtype}, the instruction writes {out_type}")
    return result
