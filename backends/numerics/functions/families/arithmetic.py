"""Element-wise arithmetic, of integers above all: engines compute with floats. Operands broadcast as NumPy's do.

Integers wrap at the ends of their range.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..function import (
    FLOATS,
    NUMBERS,
    SIGNED,
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    broadcast,
    check_alike,
    check_storage,
    taken,
)

_ADVICE = (
    "cast its operands to FLOAT before, where f32 holds their numbers: engines compute with floats"
)


def _infer_two(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    lhs, _ = taken(operands, "lhs", "rhs")
    check_storage("lhs", lhs, NUMBERS)
    return [TensorKind(broadcast(operands), check_alike(operands, "lhs", "rhs"))]


def _infer_power(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    base, exponent = taken(operands, "base", "exponent")
    check_storage("base", base, NUMBERS)
    check_storage("exponent", exponent, NUMBERS)
    return [TensorKind(broadcast(operands), base.storage)]


def _infer_one(storages: Sequence[str]) -> Callable[[Kinds, Attributes], list[TensorKind]]:
    def infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
        (x,) = taken(operands, "x")
        check_storage("x", x, storages)
        return [x]

    return infer


def _nonzero(divisor: np.ndarray) -> None:
    if divisor.dtype.kind in "iu" and not divisor.all():
        raise FunctionError("an integer is divided by 0")


def _div(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Divide; of integers, toward zero."""
    lhs, rhs = arrays
    if lhs.dtype.kind not in "iu":
        return [np.divide(lhs, rhs)]
    _nonzero(rhs)
    quotient = np.floor_divide(lhs, rhs)
    if lhs.dtype.kind == "i":
        inexact = quotient * rhs != lhs
        quotient = quotient + (inexact & ((lhs < 0) != (rhs < 0))).astype(lhs.dtype)
    return [quotient]


def _mod(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Compute the remainder, with the sign of the divisor or, with `fmod`, of the dividend."""
    lhs, rhs = arrays
    _nonzero(rhs)
    return [np.fmod(lhs, rhs) if attributes["fmod"] else np.mod(lhs, rhs)]


def _pow(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Raise to a power; the result has the type of the base, and is rounded toward zero if that is an integer."""
    base, exponent = arrays
    if base.dtype.kind not in "iu":
        return [np.power(base, exponent.astype(base.dtype)).astype(base.dtype)]
    if exponent.dtype.kind not in "iu":
        return [np.power(base.astype(np.float64), exponent.astype(np.float64)).astype(base.dtype)]
    base, exponent = np.broadcast_arrays(base, exponent)
    negative = exponent < 0
    if (negative & (base == 0)).any():
        raise FunctionError("0 is raised to a negative power")
    power = np.power(base, np.where(negative, 0, exponent).astype(base.dtype))
    # Of an inverse power only ±1 has a whole number.
    unit = np.where(base == 1, 1, np.where(base == -1, 1 - 2 * (exponent % 2), 0))
    return [np.where(negative, unit, power).astype(base.dtype)]


def _two(name: str, summary: str, compute: Callable[..., np.ndarray]) -> Function:
    """Return the function of two operands of one type."""
    return Function(
        name,
        summary,
        _infer_two,
        lambda arrays, _: [np.asarray(compute(*arrays))],
        example=(_PAIR, {}),
        advice=_ADVICE,
    )


def _one(
    name: str, summary: str, compute: Callable[..., np.ndarray], storages: Sequence[str]
) -> Function:
    """Return the function of one operand."""
    return Function(
        name,
        summary,
        _infer_one(storages),
        lambda arrays, _: [np.asarray(compute(arrays[0]))],
        example=(_PAIR[:1], {}),
        advice=_ADVICE,
    )


_PAIR = (TensorKind((4,), "i64"), TensorKind((1,), "i64"))
FUNCTIONS = (
    _two("add", "lhs + rhs.", np.add),
    _two("sub", "lhs - rhs.", np.subtract),
    _two("mul", "lhs times rhs.", np.multiply),
    _two("min", "The lesser of lhs and rhs.", np.minimum),
    _two("max", "The greater of lhs and rhs.", np.maximum),
    Function(
        "div",
        "lhs / rhs; of integers rounded toward zero.",
        _infer_two,
        _div,
        example=(_PAIR, {}),
        advice=_ADVICE,
    ),
    Function(
        "mod",
        "The remainder of lhs / rhs, with the sign of rhs or, with `fmod`, of lhs.",
        _infer_two,
        _mod,
        {"fmod": Parameter(bool, False)},
        example=(_PAIR, {}),
        advice=_ADVICE,
    ),
    Function(
        "pow",
        "base to the power of exponent, in the type of the base; the exponent may have another.",
        _infer_power,
        _pow,
        example=(_PAIR, {}),
        advice=_ADVICE,
    ),
    _one("neg", "-x.", np.negative, (*SIGNED, *FLOATS)),
    _one("abs", "The magnitude of x.", np.abs, NUMBERS),
    _one("sign", "-1, 0 or 1, as x is less than 0, 0 or greater.", np.sign, NUMBERS),
)
"""The functions of this family."""
