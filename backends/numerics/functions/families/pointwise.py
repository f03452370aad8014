"""Functions of one number, for f64: engines compute those of f32 and less."""

from __future__ import annotations

import numpy as np

from ...storage import name_of
from ...unary import UNARY_KINDS, UnaryKind
from ..function import (
    FLOATS,
    Arrays,
    Attributes,
    Function,
    Kinds,
    Parameter,
    TensorKind,
    broadcast,
    check_alike,
    check_storage,
    stored,
    taken,
)

_ADVICE = "cast x to FLOAT before, where f32 holds its numbers: engines compute with f32"
_ELSEWHERE = ("abs", "neg", "sign")
"""Functions that integers have, too: they are those of arithmetic."""
_SUMMARIES = {
    "floor": "The greatest whole number up to x.",
    "ceil": "The least whole number from x on.",
    "round": "The whole number next to x, of two the even one.",
    "reciprocal": "1 / x.",
    "sqrt": "The square root of x.",
    "power": "x to the power of `alpha`.",
    "exp": "e to the power of x.",
    "log": "The natural logarithm of x.",
    "sin": "The sine of x.",
    "cos": "The cosine of x.",
    "tan": "The tangent of x.",
    "asin": "The angle whose sine is x.",
    "acos": "The angle whose cosine is x.",
    "atan": "The angle whose tangent is x.",
    "sinh": "The hyperbolic sine of x.",
    "cosh": "The hyperbolic cosine of x.",
    "tanh": "The hyperbolic tangent of x.",
    "asinh": "The inverse of sinh.",
    "acosh": "The inverse of cosh.",
    "atanh": "The inverse of tanh.",
    "erf": "The error function of x.",
    "sigmoid": "1 / (1 + exp(-x)).",
    "hard_sigmoid": "`alpha` · x + `beta`, but from 0 to 1.",
    "hard_swish": "x times its hard_sigmoid with alpha 1/6 and beta 1/2.",
    "swish": "x · sigmoid(`alpha` · x).",
    "softplus": "log(1 + exp(x)).",
    "softsign": "x / (1 + |x|).",
    "mish": "x · tanh(softplus(x)).",
    "gelu": "x times the share of the normal distribution below x.",
    "gelu_tanh": "gelu, approximated with tanh.",
    "leaky_relu": "x, where it is negative times `alpha`.",
    "elu": "x, where it is negative `alpha` · (exp(x) - 1).",
    "selu": "`beta` times elu.",
    "celu": "x, where it is negative `alpha` · (exp(x / `alpha`) - 1).",
    "thresholded_relu": "x where it exceeds `alpha`, else 0.",
    "shrink": "x moved by `beta` toward 0 where its magnitude exceeds `alpha`, else 0.",
    "is_nan": "Whether x is no number.",
    "is_inf": "Whether x is -∞, unless `alpha` is 0, or ∞, unless `beta` is 0.",
}


def _function(name: str, kind: UnaryKind) -> Function:
    def infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
        (x,) = taken(operands, "x")
        check_storage("x", x, FLOATS)
        return [TensorKind(x.shape, "bool") if kind.is_predicate else x]

    def compute(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
        (x,) = arrays
        parameters = (attributes.get(each, 0.0) for each in ("alpha", "beta"))
        values = np.asarray(kind.compute(x.astype(np.float64), *parameters))
        return [values if kind.is_predicate else stored(values, name_of(x.dtype))]

    return Function(
        name,
        _SUMMARIES[name],
        infer,
        compute,
        {each: Parameter(float) for each in kind.parameters},
        compares=kind.is_predicate,
        example=((TensorKind((4,), "f64"),), dict.fromkeys(kind.parameters, 0.5)),
        advice=_ADVICE,
    )


def _infer_prelu(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    x, slope = taken(operands, "x", "slope")
    check_storage("x", x, FLOATS)
    check_alike(operands, "x", "slope")
    return [TensorKind(broadcast([x, slope]), x.storage)]


def _prelu(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    x, slope = arrays
    return [np.where(x < 0, x * slope, x).astype(x.dtype)]


FUNCTIONS = (
    *(_function(name, kind) for name, kind in UNARY_KINDS.items() if name not in _ELSEWHERE),
    Function(
        "prelu",
        "x, where it is negative times slope.",
        _infer_prelu,
        _prelu,
        example=((TensorKind((2, 3), "f64"), TensorKind((3,), "f64")), {}),
        advice=_ADVICE,
    ),
)
"""The functions of this family."""
