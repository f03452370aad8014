"""Counts of n-grams in sequences of integers (ONNX, TfIdfVectorizer)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ...function import (
    INDICES,
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    check_storage,
    taken,
)

MODES = ("tf", "idf", "tfidf")
"""What the result has for an n-gram: how often it is there; its weight if it is there; its weight so often."""


def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    check_storage("x", x, INDICES)
    if len(x.shape) > 2:
        raise FunctionError(f"x must have at most two axes, got shape {list(x.shape)}")
    least, most = attributes["min_length"], attributes["max_length"]
    if not 1 <= least <= most:
        raise FunctionError(f"min_length {least} and max_length {most} are not 1 ≤ least ≤ most")
    if attributes["max_skip"] < 0:
        raise FunctionError(f"max_skip must not be negative, got {attributes['max_skip']}")
    columns = attributes["columns"]
    if not columns or min(columns) < 0:
        raise FunctionError("columns must be one number that is not negative for each n-gram")
    known = sum(1 for _ in _pool(attributes))
    if known != len(columns):
        raise FunctionError(f"the pool has {known} n-grams, columns has {len(columns)} numbers")
    weights = attributes["weights"]
    if weights and len(weights) != len(columns):
        raise FunctionError(f"weights has {len(weights)} numbers for {len(columns)} n-grams")
    return [TensorKind((*x.shape[:-1], max(columns) + 1), "f32")]


def _pool(attributes: Attributes) -> Iterator[tuple[int, ...]]:
    """Yield the n-grams of the pool in order: first all of one element, then all of two, and so on."""
    pool, starts = attributes["pool"], [*attributes["starts"], len(attributes["pool"])]
    if starts[0] != 0 or any(a > b for a, b in pairwise(starts)):
        raise FunctionError(f"starts must ascend from 0 to at most {len(pool)}, got {starts[:-1]}")
    for length, (start, end) in enumerate(pairwise(starts), 1):
        if (end - start) % length:
            raise FunctionError(f"{end - start} numbers are no whole number of {length}-grams")
        for place in range(start, end, length):
            yield tuple(pool[place : place + length])


def _tf_idf(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Count n-grams whose elements are 1 … max_skip + 1 apart; those of one element are counted once."""
    (x,) = arrays
    rows = x.reshape(-1, x.shape[-1]) if x.ndim else x.reshape(1, 1)
    columns, weights = attributes["columns"], attributes["weights"]
    numbers = {gram: number for number, gram in enumerate(_pool(attributes))}
    result = np.zeros((len(rows), max(columns) + 1), np.float64)
    by_column = np.ones(max(columns) + 1)
    if weights and attributes["mode"] != "tf":
        by_column[list(columns)] = weights
    for row, target in zip(rows.tolist(), result, strict=True):
        found = Counter(numbers[gram] for gram in _grams(row, attributes) if gram in numbers)
        for number, count in found.items():
            target[columns[number]] += count
    if attributes["mode"] == "idf":
        result = np.minimum(result, 1)
    shape = (*x.shape[:-1], max(columns) + 1)
    return [(result * by_column).astype(np.float32).reshape(shape)]


def _grams(row: list[int], attributes: Attributes) -> Iterator[tuple[int, ...]]:
    """Yield every n-gram of a row, of all lengths and distances."""
    for length in range(attributes["min_length"], attributes["max_length"] + 1):
        for distance in range(1, 2 if length == 1 else attributes["max_skip"] + 2):
            span = (length - 1) * distance
            for start in range(len(row) - span):
                yield tuple(row[start : start + span + 1 : distance])


FUNCTIONS = (
    Function(
        "tf_idf",
        "How often each n-gram of a pool is in each row of x: in tf the count, in idf 1 or its weight, in tfidf the "
        "count times the weight. `pool` has all of one element, then all of two, and so on, from `starts` on; "
        "`columns` says in which column each counts.",
        _infer,
        _tf_idf,
        {
            "mode": Parameter(str, "tf", MODES),
            "min_length": Parameter(int, 1),
            "max_length": Parameter(int, 1),
            "max_skip": Parameter(int, 0),
            "pool": Parameter(int, is_list=True),
            "starts": Parameter(int, is_list=True),
            "columns": Parameter(int, is_list=True),
            "weights": Parameter(float, (), is_list=True),
        },
        example=(
            (TensorKind((6,), "i64"),),
            {"max_length": 2, "pool": (2, 3, 5, 4), "starts": (0, 2), "columns": (0, 1, 2)},
        ),
    ),
)
"""The functions of this family."""
