"""Functions of one number: computes every kind of unary op.

Every function is computed in f64 and rounded once to the storage type, so that results are within
one unit in the last place of f32 and do not depend on where in an array an element stands (NumPy's
f32 functions are off by up to 4 units, and by different ones in the tail of an array).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .elementwise import store_float
from .error_function import erf, erfc
from .storage import name_of

_BLOCK = 1 << 15
"""Elements computed at a time: their f64 copies stay in the processor's cache."""


NOT = "not"
"""The only function of bools; all others are of floats."""


@dataclass(frozen=True)
class UnaryKind:
    """One function: `compute(x, alpha, beta)` on f64 arrays, and the parameters that it has.

    `parameters` names those of "alpha" and "beta" that the function reads. A predicate gives bools. `poles(alpha,
    beta)` are the numbers x at which, or beyond which, the function is infinite or NaN; its slope has no bound near
    them.
    """

    compute: Callable[[np.ndarray, float, float], np.ndarray]
    parameters: tuple[str, ...] = ()
    is_predicate: bool = False
    poles: Callable[[float, float], tuple[float, ...]] = lambda alpha, beta: ()


def _plain(function: Callable[[np.ndarray], np.ndarray], *poles: float) -> UnaryKind:
    return UnaryKind(
        lambda x, alpha, beta: function(x),
        poles=lambda alpha, beta: poles,
    )


def _poles_of_power(alpha: float, beta: float) -> tuple[float, ...]:
    """Return the pole of x^alpha: 0, unless the power is a polynomial."""
    return () if alpha >= 0 and alpha.is_integer() else (0.0,)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0.0)


def _hard_sigmoid(x: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return np.clip(alpha * x + beta, 0.0, 1.0)


def _gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * erfc(x * -np.sqrt(0.5))


def _gelu_tanh(x: np.ndarray) -> np.ndarray:
    """Compute 0.5·x·(1 + tanh(u)) = x·sigmoid(2u), which keeps its digits where tanh(u) is near −1."""
    return x * _sigmoid(np.sqrt(8.0 / np.pi) * (x + 0.044715 * x * x * x))


def _leaky_relu(x: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return np.where(x < 0, alpha * x, x)


def _elu(x: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(x))


def _selu(x: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return beta * _elu(x, alpha, beta)


def _celu(x: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(x / alpha))


def _thresholded_relu(x: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return np.where(x > alpha, x, np.where(np.isnan(x), x, 0.0))


def _shrink(x: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return np.where(x < -alpha, x + beta, np.where(x > alpha, x - beta, np.where(x != x, x, 0.0)))


def _is_inf(x: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return ((x == -np.inf) & (alpha != 0)) | ((x == np.inf) & (beta != 0))


UNARY_KINDS: Mapping[str, UnaryKind] = {
    "abs": _plain(np.abs),
    "neg": _plain(np.negative),
    "sign": _plain(np.sign),
    "floor": _plain(np.floor),
    "ceil": _plain(np.ceil),
    "round": _plain(np.rint),
    "reciprocal": _plain(lambda x: 1.0 / x, 0.0),
    "sqrt": _plain(np.sqrt, 0.0),
    "power": UnaryKind(
        lambda x, alpha, beta: np.power(x, alpha), ("alpha",), poles=_poles_of_power
    ),
    "exp": _plain(np.exp),
    "log": _plain(np.log, 0.0),
    "sin": _plain(np.sin),
    "cos": _plain(np.cos),
    "tan": _plain(np.tan),
    "asin": _plain(np.arcsin, -1.0, 1.0),
    "acos": _plain(np.arccos, -1.0, 1.0),
    "atan": _plain(np.arctan),
    "sinh": _plain(np.sinh),
    "cosh": _plain(np.cosh),
    "tanh": _plain(np.tanh),
    "asinh": _plain(np.arcsinh),
    "acosh": _plain(np.arccosh, 1.0),
    "atanh": _plain(np.arctanh, -1.0, 1.0),
    "erf": _plain(erf),
    "sigmoid": _plain(_sigmoid),
    "hard_sigmoid": UnaryKind(_hard_sigmoid, ("alpha", "beta")),
    "hard_swish": _plain(lambda x: x * _hard_sigmoid(x, 1.0 / 6.0, 0.5)),
    "swish": UnaryKind(lambda x, alpha, beta: x * _sigmoid(alpha * x), ("alpha",)),
    "softplus": _plain(_softplus),
    "softsign": _plain(lambda x: x / (1.0 + np.abs(x))),
    "mish": _plain(lambda x: x * np.tanh(_softplus(x))),
    "gelu": _plain(_gelu),
    "gelu_tanh": _plain(_gelu_tanh),
    "leaky_relu": UnaryKind(_leaky_relu, ("alpha",)),
    "elu": UnaryKind(_elu, ("alpha",)),
    "selu": UnaryKind(_selu, ("alpha", "beta")),
    "celu": UnaryKind(_celu, ("alpha",)),
    "thresholded_relu": UnaryKind(_thresholded_relu, ("alpha",)),
    "shrink": UnaryKind(_shrink, ("alpha", "beta")),
    "is_nan": UnaryKind(lambda x, alpha, beta: np.isnan(x), is_predicate=True),
    "is_inf": UnaryKind(_is_inf, ("alpha", "beta"), is_predicate=True),
}
"""Every function of floats by name. `selu` is beta · elu; `shrink` has the threshold alpha and the
bias beta; `is_inf` looks for −∞ where alpha is not 0 and for +∞ where beta is not 0; `power` is
x^alpha. The others' parameters are those of the ONNX op of the name.
"""


def unary(
    x: np.ndarray,
    kind: str,
    alpha: float = 0.0,
    beta: float = 0.0,
    clamp: tuple[float, float] | None = None,
) -> np.ndarray:
    """Compute the function `kind` of floats `x` [any shape], clamped and rounded once to `x`'s type.

    Predicates give bools of `x`'s shape and are not clamped. Raises ValueError if the kind is unknown.
    """
    function = UNARY_KINDS.get(kind)
    if function is None:
        raise ValueError(f"unknown function '{kind}'")
    storage = name_of(x.dtype)
    flat = x.reshape(-1)
    result = np.empty(flat.shape, np.bool_ if function.is_predicate else x.dtype)
    with np.errstate(all="ignore"):
        for start in range(0, flat.size, _BLOCK):
            part = slice(start, start + _BLOCK)
            value = function.compute(flat[part].astype(np.float64), alpha, beta)
            result[part] = value if function.is_predicate else store_float(value, storage, clamp)
    return result.reshape(x.shape)
