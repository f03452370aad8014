"""The error function and its complement in f64, for arrays: W. J. Cody's rational approximations.

W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969), with
the coefficients of CALERF in the SPECFUN library (netlib), whose relative error is below 6e-19 (f64
rounding apart). The standard library's functions take one number at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_NEAR = 0.46875
"""Up to this magnitude erf is computed directly; from it to `_FAR`, and beyond, its complement is computed."""
_FAR = 4.0
_LEAST_ERFC = 26.6
"""From this magnitude on erfc is 0 in f64."""

_NEAR_ABOVE = (
    1.85777706184603153e-1, 3.16112374387056560e00, 1.13864154151050156e02, 3.77485237685302021e02,
    3.20937758913846947e03,
)  # fmt: skip
_NEAR_BELOW = (
    1.0, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03,
    2.84423683343917062e03,
)  # fmt: skip
_MIDDLE_ABOVE = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e01,
    2.98635138197400131e02, 8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03,
    1.23033935479799725e03,
)  # fmt: skip
_MIDDLE_BELOW = (
    1.0, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02,
    1.62138957456669019e03, 3.29079923573345963e03, 4.36261909014324716e03, 3.43936767414372164e03,
    1.23033935480374942e03,
)  # fmt: skip
_FAR_ABOVE = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)  # fmt: skip
_FAR_BELOW = (
    1.0, 2.56852019228982242e00, 1.87295284992346725e00, 5.27905102951428412e-1,
    6.05183413124413191e-2, 2.33520497626869185e-3,
)  # fmt: skip
_INVERSE_ROOT_OF_PI = 5.6418958354775628695e-1


def erf(x: np.ndarray) -> np.ndarray:
    """Compute (2/√π) ∫₀ˣ exp(−t²) dt for f64 `x`; NaN stays NaN."""
    result = np.empty_like(x)
    size = np.abs(x)
    near = size <= _NEAR
    result[near] = _near(x[near])
    rest = ~near
    result[rest] = np.copysign(1.0 - _complement(size[rest]), x[rest])
    return result


def erfc(x: np.ndarray) -> np.ndarray:
    """Compute 1 − erf(x) for f64 `x`, without the loss of digits where erf is near 1; NaN stays NaN."""
    result = np.empty_like(x)
    size = np.abs(x)
    near = size <= _NEAR
    result[near] = 1.0 - _near(x[near])
    rest = ~near
    tail = _complement(size[rest])
    result[rest] = np.where(x[rest] < 0, 2.0 - tail, tail)
    return result


def _near(x: np.ndarray) -> np.ndarray:
    """Compute erf(x) for |x| <= 0.46875."""
    square = x * x
    return x * _polynomial(_NEAR_ABOVE, square) / _polynomial(_NEAR_BELOW, square)


def _complement(size: np.ndarray) -> np.ndarray:
    """Compute erfc(size) for size > 0.46875, or NaN."""
    result = np.where(np.isnan(size), size, 0.0)
    middle = size <= _FAR
    x = size[middle]
    factor = _polynomial(_MIDDLE_ABOVE, x) / _polynomial(_MIDDLE_BELOW, x)
    result[middle] = _negative_exponential(x) * factor
    far = (size > _FAR) & (size < _LEAST_ERFC)
    x = size[far]
    z = 1.0 / (x * x)
    factor = z * _polynomial(_FAR_ABOVE, z) / _polynomial(_FAR_BELOW, z)
    result[far] = _negative_exponential(x) * (_INVERSE_ROOT_OF_PI - factor) / x
    return result


def _negative_exponential(x: np.ndarray) -> np.ndarray:
    """Compute exp(−x²), the square split so that its rounding error does not grow with x (as CALERF does)."""
    coarse = np.trunc(x * 16.0) / 16.0
    rest = (x - coarse) * (x + coarse)
    return np.exp(-coarse * coarse) * np.exp(-rest)


def _polynomial(coefficients: Sequence[float], x: np.ndarray) -> np.ndarray:
    """Compute Σ coefficients[i] · x^(n−1−i), by Horner's rule."""
    result = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        result *= x
        result += coefficient
    return result
