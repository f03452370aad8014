"""Functions of the bits of integers. Operands broadcast as NumPy's do."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from ..function import (
    INTEGERS,
    Arrays,
    Attributes,
    Function,
    Kinds,
    Parameter,
    TensorKind,
    broadcast,
    check_alike,
    check_storage,
    taken,
)

_PAIR = (TensorKind((4,), "i32"), TensorKind((1,), "i32"))


def _infer(storages: Collection[str]) -> Callable[[Kinds, Attributes], list[TensorKind]]:
    def infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
        lhs, _ = taken(operands, "lhs", "rhs")
        check_storage("lhs", lhs, storages)
        return [TensorKind(broadcast(operands), check_alike(operands, "lhs", "rhs"))]

    return infer


def _infer_not(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    check_storage("x", x, INTEGERS)
    return [x]


def _two(name: str, summary: str, compute: Callable[..., np.ndarray]) -> Function:
    return Function(
        name,
        summary,
        _infer(INTEGERS),
        lambda arrays, _: [np.asarray(compute(*arrays))],
        example=(_PAIR, {}),
    )


def _shift(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Shift; signed integers keep their sign to the right. By as many bits as the type has, or more, or by a negative
    number, nothing remains but the sign.
    """
    value, count = arrays
    bits = value.dtype.itemsize * 8
    beyond = (count < 0) | (count >= bits)
    within = np.where(beyond, 0, count).astype(value.dtype)
    rest = np.zeros((), value.dtype)
    if attributes["direction"] == "left":
        return [np.where(beyond, rest, np.left_shift(value, within))]
    if value.dtype.kind == "i":
        rest = np.right_shift(value, np.asarray(bits - 1, value.dtype))
    return [np.where(beyond, rest, np.right_shift(value, within))]


FUNCTIONS = (
    _two("bitwise_and", "The bits that both have.", np.bitwise_and),
    _two("bitwise_or", "The bits that one of both has.", np.bitwise_or),
    _two("bitwise_xor", "The bits that only one of both has.", np.bitwise_xor),
    Function(
        "bitwise_not",
        "The bits of x inverted.",
        _infer_not,
        lambda arrays, _: [np.asarray(np.invert(arrays[0]))],
        example=(_PAIR[:1], {}),
    ),
    Function(
        "bit_shift",
        "lhs shifted by rhs bits to the `direction`; to the right signed integers keep their sign.",
        _infer(INTEGERS),
        _shift,
        {"direction": Parameter(str, None, ("left", "right"))},
        example=(
            (TensorKind((4,), "u32"), TensorKind((1,), "u32")),
            {"direction": "left"},
        ),
    ),
)
"""The functions of this family."""
