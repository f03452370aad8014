"""Functions of one number, comparisons and selections: against the standard library, in f64."""

import math

import ml_dtypes
import numpy as np
import pytest
from smalti.backends.numerics import comparison, elementwise
from smalti.backends.numerics.error_function import erf, erfc
from smalti.backends.numerics.unary import UNARY_KINDS, unary


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def gelu_tanh(x: float) -> float:
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    # 1 + tanh(u) = 2 / (1 + exp(-2u)), without the loss of digits.
    return x * sigmoid(2 * u)


ALPHA, BETA = 0.375, 1.25
REFERENCE = {
    "abs": abs, "neg": lambda x: -x, "sign": lambda x: float((x > 0) - (x < 0)),
    "floor": lambda x: float(math.floor(x)), "ceil": lambda x: float(math.ceil(x)),
    "round": lambda x: float(round(x)), "reciprocal": lambda x: 1 / x,
    "sqrt": lambda x: math.sqrt(abs(x)), "power": lambda x: abs(x) ** ALPHA, "exp": math.exp,
    "log": lambda x: math.log(abs(x)), "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "asin": lambda x: math.asin(x / 8), "acos": lambda x: math.acos(x / 8), "atan": math.atan,
    "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh, "asinh": math.asinh,
    "acosh": lambda x: math.acosh(1 + abs(x)), "atanh": lambda x: math.atanh(x / 8),
    "erf": math.erf, "sigmoid": sigmoid,
    "hard_sigmoid": lambda x: min(max(ALPHA * x + BETA, 0.0), 1.0),
    "hard_swish": lambda x: x * min(max(x / 6 + 0.5, 0.0), 1.0),
    "swish": lambda x: x * sigmoid(ALPHA * x), "softplus": softplus,
    "softsign": lambda x: x / (1 + abs(x)), "mish": lambda x: x * math.tanh(softplus(x)),
    "gelu": lambda x: 0.5 * x * math.erfc(-x / math.sqrt(2)), "gelu_tanh": gelu_tanh,
    "leaky_relu": lambda x: x if x >= 0 else ALPHA * x,
    "elu": lambda x: x if x > 0 else ALPHA * math.expm1(x),
    "selu": lambda x: BETA * (x if x > 0 else ALPHA * math.expm1(x)),
    "celu": lambda x: x if x > 0 else ALPHA * math.expm1(x / ALPHA),
    "thresholded_relu": lambda x: x if x > ALPHA else 0.0,
    "shrink": lambda x: x + BETA if x < -ALPHA else x - BETA if x > ALPHA else 0.0,
    "is_nan": math.isnan, "is_inf": math.isinf,
}  # fmt: skip
DOMAIN = {
    "sqrt": np.abs, "power": np.abs, "log": np.abs, "asin": lambda x: x / 8, "acos": lambda x: x / 8,
    "atanh": lambda x: x / 8, "acosh": lambda x: np.float32(1) + np.abs(x),
}  # fmt: skip
"""Where a function is not defined everywhere: what maps [-8, 8] into its domain, as REFERENCE does."""


def samples() -> np.ndarray:
    """Numbers between -8 and 8, dense near 0, without 0."""
    rng = np.random.default_rng(0)
    spread = rng.uniform(-8, 8, 3000)
    near = rng.choice([-1, 1], 1000) * 10 ** rng.uniform(-6, 0, 1000)
    return np.concatenate([spread, near]).astype(np.float32)


def parameters(kind: str) -> tuple[float, float]:
    return (1.0, 1.0) if kind == "is_inf" else (ALPHA, BETA)


def test_every_kind_has_a_reference():
    assert REFERENCE.keys() == UNARY_KINDS.keys()


@pytest.mark.parametrize("kind", UNARY_KINDS)
def test_within_two_units_in_the_last_place(kind: str):
    x = DOMAIN.get(kind, lambda x: x)(samples())
    got = unary(x, kind, *parameters(kind))
    undo = {"asin": 8.0, "acos": 8.0, "atanh": 8.0}.get(kind, 1.0)
    shift = 1.0 if kind == "acosh" else 0.0
    expected = np.array([REFERENCE[kind](undo * float(v) - shift) for v in x])
    assert got.shape == x.shape
    if UNARY_KINDS[kind].is_predicate:
        assert got.dtype == np.bool_
        np.testing.assert_array_equal(got, expected)
        return
    assert got.dtype == np.float32
    with np.errstate(over="ignore"):
        unit = np.spacing(np.abs(expected).astype(np.float32)).astype(np.float64)
    assert np.max(np.abs(got - expected) / unit) <= 2


@pytest.mark.parametrize("kind", UNARY_KINDS)
def test_an_element_does_not_depend_on_its_place(kind: str):
    x = DOMAIN.get(kind, lambda x: x)(samples())
    whole = unary(x, kind, *parameters(kind))
    parts = [unary(x[i : i + 7], kind, *parameters(kind)) for i in range(0, len(x), 7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    matrix = x.reshape(40, 100).T
    np.testing.assert_array_equal(unary(matrix, kind, *parameters(kind)), whole.reshape(40, 100).T)


def test_special_values():
    inf, nan = np.inf, np.nan
    x = np.array([-inf, inf, nan], np.float32)
    np.testing.assert_array_equal(unary(x, "is_inf", 1, 0), [True, False, False])
    np.testing.assert_array_equal(unary(x, "is_inf", 0, 1), [False, True, False])
    np.testing.assert_array_equal(unary(x, "is_nan"), [False, False, True])
    np.testing.assert_array_equal(unary(x, "sigmoid"), [0, 1, nan])
    np.testing.assert_array_equal(unary(x, "erf"), [-1, 1, nan])
    np.testing.assert_array_equal(unary(x, "shrink", 0.5, 1), [-inf, inf, nan])
    np.testing.assert_array_equal(unary(x, "thresholded_relu", 1), [0, inf, nan])
    np.testing.assert_array_equal(
        unary(np.array([0.5, 1.5, -2.5], np.float32), "round"), [0, 2, -2]
    )
    big = np.array([-200, 200], np.float32)
    np.testing.assert_array_equal(unary(big, "exp"), [0, inf])
    np.testing.assert_array_equal(unary(big, "softplus"), [0, 200])
    np.testing.assert_array_equal(unary(big, "gelu"), [0, 200])


def test_narrow_types_round_once_after_the_clamp():
    x = np.linspace(-4, 4, 999).astype(np.float32)
    for dtype in (np.float16, ml_dtypes.bfloat16):
        narrow = x.astype(dtype)
        expected = np.clip(np.tanh(narrow.astype(np.float64)), -0.7, 0.3)
        got = unary(narrow, "tanh", clamp=(-0.7, 0.3))
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, expected.astype(np.float32).astype(dtype))


def test_unknown_kind():
    with pytest.raises(ValueError, match="unknown function 'sigmod'"):
        unary(np.zeros(1, np.float32), "sigmod")


def test_error_function_in_f64():
    x = np.concatenate([np.linspace(-30, 30, 6001), np.linspace(-1, 1, 2001)])
    expected = np.array([math.erf(v) for v in x])
    np.testing.assert_allclose(erf(x), expected, rtol=1e-14)
    complement = np.array([math.erfc(v) for v in x])
    np.testing.assert_allclose(erfc(x), complement, rtol=1e-13, atol=1e-300)
    assert np.isnan(erf(np.array([np.nan]))).all()
    assert np.isnan(erfc(np.array([np.nan]))).all()


def test_arithmetic_of_two_floats():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 500)).astype(np.float32)
    positive = np.abs(a)
    expected = [float(np.float64(x) ** np.float64(y)) for x, y in zip(positive, b, strict=True)]
    np.testing.assert_array_equal(elementwise.power(positive, b), np.float32(expected))
    fmod = [math.fmod(x, y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_array_equal(elementwise.modulo(a, b), np.float32(fmod))
    slope = [x * y if x < 0 else x for x, y in zip(a, b, strict=True)]
    np.testing.assert_array_equal(elementwise.prelu(a, b), np.float32(slope))
    assert np.isnan(elementwise.minimum(np.float32([np.nan]), np.float32([1]))).all()
    np.testing.assert_array_equal(elementwise.maximum(a, b), np.where(a > b, a, b))
    with pytest.raises(ValueError, match="differ in type"):
        elementwise.minimum(a, b.astype(np.float64))


def test_comparisons_and_logic():
    a, b = np.float32([1, 2, 3, np.nan]), np.float32([2, 2, 2, np.nan])
    np.testing.assert_array_equal(comparison.compare("less", a, b), [1, 0, 0, 0])
    np.testing.assert_array_equal(comparison.compare("less_or_equal", a, b), [1, 1, 0, 0])
    np.testing.assert_array_equal(comparison.compare("equal", a, b), [0, 1, 0, 0])
    np.testing.assert_array_equal(comparison.compare("not_equal", a, b), [1, 0, 1, 1])
    p, q = np.array([0, 0, 1, 1], bool), np.array([0, 1, 0, 1], bool)
    np.testing.assert_array_equal(comparison.combine("and", p, q), [0, 0, 0, 1])
    np.testing.assert_array_equal(comparison.combine("or", p, q), [0, 1, 1, 1])
    np.testing.assert_array_equal(comparison.combine("xor", p, q), [0, 1, 1, 0])
    np.testing.assert_array_equal(comparison.select(p, a, b), [2, 2, 3, np.nan])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a, p: comparison.compare("more", a, a), "unknown comparison"),
        (lambda a, p: comparison.compare("less", a, p), "differ in type"),
        (lambda a, p: comparison.combine("nand", p, p), "unknown operation"),
        (lambda a, p: comparison.combine("and", a, p), "expected bools"),
        (lambda a, p: comparison.select(a, a, a), "expected bools"),
    ],
)
def test_wrong_operands_of_comparisons(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.zeros(2, np.float32), np.zeros(2, bool))
