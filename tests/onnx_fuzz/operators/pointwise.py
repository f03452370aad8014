"""Ops that compute each element by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from onnx import helper

from tests.onnx_fuzz.draw import Draw

PLAIN = (
    *(
        "Abs",
        "Acos",
        "Acosh",
        "Asin",
        "Asinh",
        "Atan",
        "Atanh",
        "Ceil",
        "Cos",
        "Cosh",
        "Erf",
        "Exp",
    ),
    *(
        "Floor",
        "HardSwish",
        "Identity",
        "IsNaN",
        "Log",
        "Mish",
        "Neg",
        "Reciprocal",
        "Relu",
        "Round",
    ),
    *("Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Tan", "Tanh"),
)
SINCE = {"HardSwish": 14, "Mish": 18}
"""The opset that an op stands in first, if it is not in all."""
ATTRIBUTES = {
    "Celu": {"alpha": (0.3, 2.0)},
    "Elu": {"alpha": (0.2, 2.0)},
    "HardSigmoid": {"alpha": (0.1, 0.5), "beta": (0.2, 0.8)},
    "LeakyRelu": {"alpha": (-0.5, 0.5)},
    "Selu": {"alpha": (0.5, 2.0), "gamma": (0.5, 1.5)},
    "Shrink": {"bias": (-0.5, 0.5), "lambd": (0.1, 1.0)},
    "ThresholdedRelu": {"alpha": (0.1, 1.0)},
}
"""Float attributes and the ranges that they are drawn from; each is left out in a third of all nodes."""
INTEGERS = (np.int32, np.int64, np.int8, np.uint8)
CAST = (np.float32, np.int32, np.int64, np.int8, np.uint8, np.bool_, np.float64, np.float16)


def integers_or_floats(draw: Draw) -> type[np.generic]:
    """Return the type of an operand: floats in three of four nodes."""
    return draw.precision.dtype if draw.chance(0.75) else draw.choice(INTEGERS)


def plain(kind: str, draw: Draw) -> None:
    """A function of one operand, without attributes."""
    if draw.opset >= SINCE.get(kind, 0):
        draw.node(kind, [draw.operand()])


def with_attributes(kind: str, draw: Draw) -> None:
    """A function of one operand and some numbers."""
    drawn = {
        name: draw.number(*bounds) for name, bounds in ATTRIBUTES[kind].items() if draw.chance(0.66)
    }
    draw.node(kind, [draw.operand()], **drawn)


def binary(kind: str, draw: Draw) -> None:
    """Two operands that broadcast, floats or integers."""
    first = draw.operand(integers_or_floats(draw))
    pair = [first, draw.beside(first)]
    draw.node(kind, pair[:: draw.choice((1, -1))])


def floats(kind: str, draw: Draw) -> None:
    """Two floats that broadcast."""
    first = draw.operand()
    draw.node(kind, [first, draw.beside(first)])


def bools(kind: str, draw: Draw) -> None:
    """Two bools that broadcast."""
    first = draw.operand(np.bool_)
    draw.node(kind, [first, draw.beside(first)])


def bits(kind: str, draw: Draw) -> None:
    """Two integers that broadcast, bit by bit."""
    if draw.opset >= 18:
        first = draw.operand(draw.choice(INTEGERS))
        draw.node(kind, [first, draw.beside(first)])


def variadic(kind: str, draw: Draw) -> None:
    """One to four operands that broadcast."""
    first = draw.operand()
    draw.node(kind, [first, *(draw.beside(first) for _ in range(draw.integer(0, 3)))])


def power(draw: Draw) -> None:
    """A base, and an exponent that mostly is a small constant."""
    base = draw.operand()
    exponent = (
        draw.constant(draw.choice((0.5, 1, 2, 3, -1)), draw.precision.dtype)
        if draw.chance(0.6)
        else draw.beside(base)
    )
    draw.node("Pow", [base, exponent])


def modulo(draw: Draw) -> None:
    """Both remainders; that of the divisor's sign is for integers only."""
    if draw.chance(0.5):
        first = draw.operand(draw.choice(INTEGERS))
        array = draw.arrays[first]
        divisor = draw.new(draw.rng.integers(1, 7, array.shape).astype(array.dtype))
        draw.node("Mod", [first, divisor], fmod=draw.choice((None, 0, 1)))
    else:
        first = draw.operand()
        draw.node("Mod", [first, draw.beside(first)], fmod=1)


def clip(draw: Draw) -> None:
    """Both bounds, one or none."""
    first = draw.operand(integers_or_floats(draw))
    dtype = draw.arrays[first].dtype
    bounds = [
        draw.new(np.asarray(bound, dtype)) if draw.chance(0.75) else ""
        for bound in (draw.integer(0, 2), draw.integer(2, 5))
    ]
    draw.node("Clip", [first, *bounds])


def gelu(draw: Draw) -> None:
    """Exact or by a hyperbolic tangent."""
    if draw.opset >= 20:
        draw.node("Gelu", [draw.operand()], approximate=draw.choice((None, "none", "tanh")))


def infinite(draw: Draw) -> None:
    """Which infinities count."""
    signs = {name: draw.choice((None, 0, 1)) for name in ("detect_negative", "detect_positive")}
    draw.node("IsInf", [draw.operand()], **signs)


def where(draw: Draw) -> None:
    """A condition and two values of any type."""
    first = draw.operand(draw.choice((draw.precision.dtype, np.int64, np.int32, np.bool_)))
    draw.node("Where", [draw.beside(first, np.bool_), first, draw.beside(first)])


def negation(draw: Draw) -> None:
    """A bool."""
    draw.node("Not", [draw.operand(np.bool_)])


def bitwise_not(draw: Draw) -> None:
    """An integer."""
    if draw.opset >= 18:
        draw.node("BitwiseNot", [draw.operand(draw.choice(INTEGERS))])


def shift(draw: Draw) -> None:
    """Both directions, of unsigned integers."""
    first = draw.operand(draw.choice((np.uint8, np.uint32, np.uint64)))
    draw.node("BitShift", [first, draw.beside(first)], direction=draw.choice(("LEFT", "RIGHT")))


def cast(draw: Draw) -> None:
    """From and to any type."""
    to = helper.np_dtype_to_tensor_dtype(np.dtype(draw.choice(CAST)))
    draw.node("Cast", [draw.operand(draw.choice(CAST))], to=to)


def cast_like(draw: Draw) -> None:
    """To the type of another tensor."""
    if draw.opset >= 15:
        draw.node("CastLike", [draw.operand(draw.choice(CAST)), draw.operand(draw.choice(CAST))])


DRAWS: dict[str, Callable[[Draw], None]] = {
    **{kind: partial(plain, kind) for kind in PLAIN},
    **{kind: partial(with_attributes, kind) for kind in ATTRIBUTES},
    **{
        kind: partial(binary, kind)
        for kind in [
            "Add",
            "Sub",
            "Mul",
            "Div",
            "Greater",
            "GreaterOrEqual",
            "Less",
            "LessOrEqual",
            "Equal",
        ]
    },
    **{kind: partial(floats, kind) for kind in ("PRelu",)},
    **{kind: partial(bools, kind) for kind in ("And", "Or", "Xor")},
    **{kind: partial(bits, kind) for kind in ("BitwiseAnd", "BitwiseOr", "BitwiseXor")},
    **{kind: partial(variadic, kind) for kind in ("Max", "Min", "Mean", "Sum")},
    "BitShift": shift,
    "BitwiseNot": bitwise_not,
    "Cast": cast,
    "CastLike": cast_like,
    "Clip": clip,
    "Gelu": gelu,
    "IsInf": infinite,
    "Mod": modulo,
    "Not": negation,
    "Pow": power,
    "Where": where,
}
