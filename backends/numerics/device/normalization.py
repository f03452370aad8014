"""Computes the instructions that normalize rows; the conventions are those of __init__.py."""

from __future__ import annotations

import numpy as np

from ..normalization import local_response_norm as float_local_response_norm
from ..normalization import normalize as float_normalize
from ..softmax import softmax as float_softmax
from ..storage import round_to
from .tile_buffer import padded, shaped


def softmax(
    x: np.ndarray,
    *,
    type: str,
    log: int = 0,
    rows: int,
    columns: int,
    in_pitch: int,
    out_pitch: int,
) -> np.ndarray:
    """Compute out[rows, out_pitch]: the softmax (with `log` its logarithm), in f32, of each row of `columns` elements
    of x[rows, in_pitch] (a float type).
    """
    values = shaped(x, (rows, in_pitch), "x", type)[..., :columns]
    return padded(round_to(float_softmax(values, -1, log=bool(log)), type), out_pitch, 0)


def normalize(
    x: np.ndarray,
    parameters: np.ndarray | None = None,
    *,
    kind: str,
    type: str,
    rows: int,
    length: int,
    inner: int = 1,
    pitch: int,
    epsilon: float = 0.0,
    parameter_rows: int = 1,
    parameter_length: int = 1,
    parameter_inner: int = 1,
) -> np.ndarray:
    """Compute out[rows, pitch]: x[rows, pitch], of which length * inner elements count, normalized in f32 over
    `length`.

    `parameters`, f32 [2, parameter_rows, parameter_length, parameter_inner]: scales and offsets of
    the elements (r, l, i), at (r % parameter_rows, l // (length // parameter_length), i or 0).
    """
    values = shaped(x, (rows, pitch), "x", type)[..., : length * inner]
    values = values.reshape(*values.shape[:-1], length, inner)
    scale = bias = None
    if parameters is not None:
        shape = (2, parameter_rows, parameter_length, parameter_inner)
        table = shaped(parameters, shape, "parameters", "f32")
        if parameter_rows > 1:
            table = table[..., np.arange(rows) % parameter_rows, :, :]
        if parameter_length > 1:
            table = table[..., np.arange(length) // (length // parameter_length), :]
        scale, bias = table[..., 0, :, :, :], table[..., 1, :, :, :]
    result = float_normalize(kind, values, (-2,), epsilon, scale, bias)
    result = round_to(result, type)
    return padded(result.reshape(*result.shape[:-2], length * inner), pitch, 0)


def local_response_norm(
    x: np.ndarray,
    *,
    type: str,
    rows: int,
    columns: int,
    in_pitch: int,
    out_pitch: int,
    size: int,
    alpha: float,
    beta: float,
    offset: float,
) -> np.ndarray:
    """Compute out[rows, out_pitch]: the local response normalization, in f32, along each row of `columns` elements of
    x[rows, in_pitch] (a float type).
    """
    values = shaped(x, (rows, in_pitch), "x", type)[..., :columns]
    result = float_local_response_norm(values, -1, size=size, alpha=alpha, beta=beta, bias=offset)
    return padded(round_to(result, type), out_pitch, 0)
