"""Casts to and from small elements, against xDSL's own bits of the types, ONNX's reference and ONNX Runtime."""

from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference.ops.op_cast import cast_to
from smalti.backends.cpu.session import run_onnx
from smalti.backends.numerics.functions.call import Call
from smalti.backends.numerics.functions.families.conversion import EXPONENTS, SATURATING
from smalti.backends.numerics.functions.function import TensorKind
from smalti.backends.numerics.storage import (
    SMALL_FLOAT_NAMES,
    SMALL_INTEGER_NAMES,
    STORAGE_TYPES,
    dtype_of,
    integer_range,
    name_of,
)
from smalti.dialects.quant.element_type import type_of_storage

ROUNDED = [name for name in SMALL_FLOAT_NAMES if name != EXPONENTS]
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-300, -1e-300, 1e300, -1e300, 5e-324]


def cast(x: np.ndarray, to: str, **attributes: Any) -> np.ndarray:
    call = Call.of("cast", [TensorKind(x.shape, name_of(x.dtype))], {"to": to, **attributes})
    return call.compute([x[None]])[0]


def codes(name: str) -> np.ndarray:
    """Every element of a small type, in the order of their codes."""
    return np.arange(1 << STORAGE_TYPES[name].file_bits, dtype=np.uint8).view(dtype_of(name))


def numbers(name: str) -> np.ndarray:
    """Numbers f64 that show rounding: all elements, the middles between two, what is beside these, and special ones."""
    held = cast(codes(name), "f64")
    held = np.unique(held[np.isfinite(held)])
    steps = np.concatenate([held, [2 * held[-1] - held[-2], 2 * held[0] - held[1]]])
    middles = (np.sort(steps)[1:] + np.sort(steps)[:-1]) / 2
    around = np.concatenate([steps, middles])
    beside = [around * (1 + 2.0**-40), around * (1 - 2.0**-40), np.nextafter(around, np.inf)]
    random = np.random.default_rng(5).normal(0, held[-1] / 4, 400)
    return np.concatenate([around, *beside, random, SPECIAL])


@pytest.mark.parametrize("name", SMALL_FLOAT_NAMES)
def test_every_code_has_the_number_that_its_bits_say(name: str):
    type: Any = type_of_storage(name)
    expected = [type.decode_bits(code) for code in range(len(codes(name)))]
    for wide in ("f32", "f64"):
        np.testing.assert_array_equal(cast(codes(name), wide), np.array(expected, dtype_of(wide)))
    with np.errstate(over="ignore"):
        halves = np.array(expected).astype(np.float16)
    np.testing.assert_array_equal(cast(codes(name), "f16"), halves)
    np.testing.assert_array_equal(cast(codes(name), "bool"), np.array(expected) != 0)
    whole = np.isfinite(expected) & (np.abs(expected) < 2**31)
    got = cast(codes(name)[whole], "i32")
    np.testing.assert_array_equal(got, np.trunc(np.array(expected)[whole]))


@pytest.mark.parametrize("name", ROUNDED)
@pytest.mark.parametrize("saturate", [True, False])
def test_numbers_are_rounded_once(name: str, saturate: bool):
    type: Any = type_of_storage(name)
    given = numbers(name)
    limit = float(ml_dtypes.finfo(dtype_of(name)).max)
    clipped = np.clip(given, -limit, limit) if saturate else given
    bits = [type.encode_bits(float(each)) for each in clipped]
    expected = np.array([type.decode_bits(each) for each in bits])
    got = cast(given, name, saturate=saturate)
    known = ~np.isnan(given) | (name in SATURATING)  # NaN is none of the others' numbers
    np.testing.assert_array_equal(got.astype(np.float64)[known], expected[known])
    zero = given == 0
    np.testing.assert_array_equal(got.view(np.uint8)[zero], np.array(bits)[zero])


@pytest.mark.parametrize("name", ROUNDED)
@pytest.mark.parametrize("saturate", [True, False])
@pytest.mark.parametrize("source", [np.float32, np.float16, ml_dtypes.bfloat16, np.int32])
def test_casts_are_those_of_the_reference(name: str, saturate: bool, source: type):
    with np.errstate(all="ignore"):
        given = numbers(name)
        if source is np.int32:
            given = given[np.isfinite(given) & (np.abs(given) < 1e6)]
        given = given.astype(source)
        onnx_type = helper.np_dtype_to_tensor_dtype(dtype_of(name))
        expected = cast_to(given, onnx_type, saturate)
    got = cast(given, name, saturate=saturate)
    np.testing.assert_array_equal(got.astype(np.float32), expected.astype(np.float32))


@pytest.mark.parametrize("name", [name for name in SATURATING if name != EXPONENTS])
@pytest.mark.parametrize("saturate", [True, False])
def test_casts_are_those_of_onnx_runtime(name: str, saturate: bool):
    """Without saturation ONNX Runtime gives wrong numbers for the first that are rounded beyond the largest one: NaN
    for an infinity, or the largest.
    """
    with np.errstate(all="ignore"):
        given = numbers(name).astype(np.float32)
    if not saturate:
        limit = float(ml_dtypes.finfo(dtype_of(name)).max)
        given = given[~((np.abs(given) > limit) & (np.abs(given) < 1.1 * limit))]
    nodes = [
        helper.make_node(
            "Cast",
            ["x"],
            ["q"],
            to=helper.np_dtype_to_tensor_dtype(dtype_of(name)),
            saturate=saturate,
        ),
        helper.make_node("Cast", ["q"], ["y"], to=TensorProto.FLOAT),
    ]
    ports = [
        helper.make_tensor_value_info(each, TensorProto.FLOAT, given.shape) for each in ("x", "y")
    ]
    graph = helper.make_graph(nodes, "cast", ports[:1], ports[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    expected = run_onnx(model, {"x": given})["y"]
    np.testing.assert_array_equal(cast(cast(given, name, saturate=saturate), "f32"), expected)


def power_of_2(x: float, mode: str, saturate: bool) -> float:
    """The power of 2 that ONNX's table of Cast says, by exact arithmetic."""
    powers = [Fraction(2) ** exponent for exponent in range(-127, 128)]
    if np.isnan(x):
        return np.nan
    if np.isinf(x):
        return float(powers[-1]) if saturate else np.nan
    exact = Fraction(x)
    # One power beyond each end shows where a number that is outside belongs.
    candidates = [powers[0] / 2, *powers, powers[-1] * 2]
    below = max((each for each in candidates if each <= exact), default=candidates[0])
    above = min((each for each in candidates if each >= exact), default=candidates[-1])
    nearest = above if above - exact <= exact - below else below
    chosen = {"up": above, "down": below, "nearest": nearest}[mode]
    if powers[0] <= chosen <= powers[-1] and exact > 0:
        return float(chosen)
    if not saturate:
        return np.nan
    return float(powers[0] if chosen < powers[0] or exact == 0 else powers[-1])


@pytest.mark.parametrize("mode", ["up", "down", "nearest"])
@pytest.mark.parametrize("saturate", [True, False])
def test_powers_of_2_are_rounded_by_their_mode(mode: str, saturate: bool):
    given = numbers(EXPONENTS)
    given = np.concatenate([given[~(given < 0)][::13], np.abs(SPECIAL)])
    expected = [power_of_2(float(each), mode, saturate) for each in given]
    got = cast(given, EXPONENTS, saturate=saturate, round_mode=mode)
    np.testing.assert_array_equal(got.astype(np.float64), expected)
    assert np.isnan(cast(np.array([-1.0]), EXPONENTS).astype(np.float32)).all()


@pytest.mark.parametrize("name", SMALL_INTEGER_NAMES)
def test_small_integers(name: str):
    low, high = integer_range(name)
    held = [*range(high + 1), *range(low, 0)]
    for wide in ("i8", "i64", "f32", "f16", "f64"):
        np.testing.assert_array_equal(cast(codes(name), wide), np.array(held))
    for source in (np.int8, np.uint8, np.int64, np.uint64):
        given = np.arange(256).astype(source)
        expected = (given.astype(np.int64) - low) % len(held) + low
        np.testing.assert_array_equal(cast(given, name).astype(np.int64), expected)
    floats = np.array([low, low + 0.75, -0.5, 0.5, high - 0.25, high + 0.75], np.float32)
    np.testing.assert_array_equal(cast(floats, name).astype(np.float32), np.trunc(floats))
    np.testing.assert_array_equal(cast(codes("f4E2M1FN")[:4], name).astype(int), [0, 0, 1, 1])
