"""Reductions over axes, of integers, bools and f64 above all: engines reduce the floats of networks."""

from __future__ import annotations

import numpy as np

from ...reduction import KINDS, SELECTING_KINDS, reduced_rows
from ...storage import integer_range, is_float, name_of
from ..function import (
    ANY,
    NUMBERS,
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    check_storage,
    stored,
    taken,
)

_IN_F64 = ("l2", "log_sum", "log_sum_exp")
"""The reductions of integers whose result is no integer: it is computed in f64, and its fraction dropped."""


def _axes(attributes: Attributes, rank: int) -> tuple[int, ...]:
    """Return the reduced axes as ascending numbers. Raises FunctionError if one is out of range or named twice."""
    axes = attributes["axes"]
    if any(not -rank <= axis < rank for axis in axes):
        raise FunctionError(f"axes {list(axes)} are not all of a tensor of {rank} axes")
    positive = sorted(axis % rank for axis in axes)
    if len(set(positive)) != len(positive):
        raise FunctionError(f"axes {list(axes)} name an axis twice")
    return tuple(positive)


def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    check_storage("x", x, ANY if attributes["kind"] in SELECTING_KINDS else NUMBERS)
    axes = _axes(attributes, len(x.shape))
    if attributes["keepdims"]:
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
    else:
        shape = tuple(size for axis, size in enumerate(x.shape) if axis not in axes)
    return [TensorKind(shape, x.storage)]


def _reduce(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Reduce: floats in f64 and rounded once, integers modulo their range; means of integers toward zero."""
    (x,), kind = arrays, attributes["kind"]
    (result,) = _infer([TensorKind(x.shape, name_of(x.dtype))], attributes)
    axes = _axes(attributes, x.ndim)
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    outer = [x.shape[axis] for axis in kept]
    length = int(np.prod([x.shape[axis] for axis in axes], dtype=np.int64))
    rows = np.ascontiguousarray(np.transpose(x, [*kept, *axes])).reshape(*outer, length)
    if is_float(result.storage) or kind in _IN_F64:
        reduced = stored(reduced_rows(kind, rows.astype(np.float64)), result.storage)
    elif result.storage == "bool":
        reduced = rows.any(axis=-1) if kind == "max" else rows.all(axis=-1)
    else:
        reduced = _reduced_integers(kind, rows)
    return [np.asarray(reduced).reshape(result.shape)]


def _reduced_integers(kind: str, rows: np.ndarray) -> np.ndarray:
    """Reduce integers over the last axis, to integers of the same type."""
    least, greatest = integer_range(name_of(rows.dtype))
    if kind == "max":
        return rows.max(axis=-1, initial=least)
    if kind == "min":
        return rows.min(axis=-1, initial=greatest)
    if kind == "prod":
        return rows.prod(axis=-1, dtype=rows.dtype)
    if kind == "mean":
        wide = np.uint64 if rows.dtype.kind == "u" else np.int64
        total, count = rows.sum(axis=-1, dtype=wide), max(rows.shape[-1], 1)
        magnitude = np.abs(total) // wide(count)
        return np.where(total < 0, 0 - magnitude, magnitude).astype(rows.dtype)
    terms = {"sum": rows, "l1": np.abs(rows), "sum_square": rows * rows}[kind]
    return terms.sum(axis=-1, dtype=rows.dtype)


FUNCTIONS = (
    Function(
        "reduce",
        "x reduced by `kind` over `axes`, which stay with one element or, without `keepdims`, are dropped; of no "
        "elements the neutral one.",
        _infer,
        _reduce,
        {
            "kind": Parameter(str, None, KINDS),
            "axes": Parameter(int, is_list=True),
            "keepdims": Parameter(bool, True),
        },
        example=((TensorKind((2, 3, 4), "i64"),), {"kind": "sum", "axes": (1,)}),
        advice="cast x to FLOAT before, where f32 holds its numbers: engines reduce floats",
    ),
)
"""The functions of this family."""
