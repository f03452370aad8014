"""Computes what the host does for an instruction; the conventions are those of __init__.py."""

from __future__ import annotations

import numpy as np

from ..functions.call import LoadedCall


def host_call(
    x: np.ndarray,
    *,
    call: LoadedCall,
    x_segment: str,
    out_segment: str,
    x_bytes: int,
    out_bytes: int,
) -> np.ndarray:
    """Compute the result of `call` for the operands in the frame x u8 [S, x_bytes]. The segments say where in global
    memory frame and result lie.
    """
    return call.compute(x)
