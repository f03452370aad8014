"""Element-wise comparisons, which give bools. Operands broadcast as NumPy's do."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from ...storage import SMALL_NAMES
from ..function import (
    ANY,
    NUMBERS,
    Attributes,
    Function,
    Kinds,
    TensorKind,
    broadcast,
    check_alike,
    check_storage,
    taken,
)


def _comparison(
    name: str, summary: str, compute: Callable[..., np.ndarray], storages: Collection[str]
) -> Function:
    def infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
        lhs, _ = taken(operands, "lhs", "rhs")
        check_storage("lhs", lhs, storages)
        check_alike(operands, "lhs", "rhs")
        return [TensorKind(broadcast(operands), "bool")]

    return Function(
        name,
        summary,
        infer,
        lambda arrays, _: [np.asarray(compute(*arrays))],
        compares=True,
        example=((TensorKind((4,), "i64"), TensorKind((1,), "i64")), {}),
        advice="cast its operands to FLOAT before, where f32 holds their numbers: engines compare floats",
    )


_ORDERED = (*NUMBERS, *SMALL_NAMES)
FUNCTIONS = (
    _comparison("equal", "Whether lhs = rhs.", np.equal, ANY),
    _comparison("not_equal", "Whether lhs and rhs differ.", np.not_equal, ANY),
    _comparison("less", "Whether lhs < rhs.", np.less, _ORDERED),
    _comparison("less_or_equal", "Whether lhs <= rhs.", np.less_equal, _ORDERED),
    _comparison("greater", "Whether lhs > rhs.", np.greater, _ORDERED),
    _comparison("greater_or_equal", "Whether lhs >= rhs.", np.greater_equal, _ORDERED),
)
"""The functions of this family."""
