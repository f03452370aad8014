"""Reads tensors that a model stores sparsely, as their elements that are not 0 and where these are."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ....backends.diagnostics.diagnostic import DiagnosticError, Place
from .limits import FoldingBudget
from .tensors import TensorReader

if TYPE_CHECKING:
    from onnx import SparseTensorProto


def dense(sparse: SparseTensorProto, reader: TensorReader, budget: FoldingBudget) -> np.ndarray:
    """Return the tensor with all of its elements, read-only.

    Its indices are places in row-major order [count], or a position in each axis [count, rank] (ONNX,
    SparseTensorProto).

    Raises:
        DiagnosticError: if values and indices do not fit together, an index lies outside the tensor, or it takes more
            bytes than the budget has.
    """
    place = Place(file=reader.file, name=f"sparse tensor '{sparse.values.name}'")
    values, indices = reader.read(sparse.values), reader.read(sparse.indices)
    shape = tuple(sparse.dims)
    if any(size < 0 for size in shape):
        raise DiagnosticError(f"it has a negative dimension: {list(shape)}", place)
    if indices.dtype != np.int64 or indices.shape not in (
        values.shape,
        (*values.shape, len(shape)),
    ):
        raise DiagnosticError(
            f"its {values.shape} values have indices of {indices.dtype} {indices.shape}",
            place,
            hint=f"indices are int64, of shape {[*values.shape]} or {[*values.shape, len(shape)]}",
        )
    budget.spend(prod(shape) * values.dtype.itemsize, shape, place)
    limits = np.array(shape if indices.ndim > values.ndim else prod(shape))
    if np.any((indices < 0) | (indices >= limits)):
        raise DiagnosticError(f"an index lies outside of its shape {list(shape)}", place)
    result = np.zeros(shape, values.dtype)
    if indices.ndim > values.ndim:
        result[tuple(indices.T)] = values
    else:
        result.reshape(-1)[indices] = values
    result.flags.writeable = False
    return result
