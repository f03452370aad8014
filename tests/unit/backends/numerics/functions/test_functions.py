"""The named functions against plain loops over numbers."""

from itertools import product
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from smalti.backends.numerics.functions.call import Call
from smalti.backends.numerics.functions.function import FunctionError, TensorKind
from smalti.backends.numerics.functions.registry import FUNCTIONS
from smalti.backends.numerics.storage import dtype_of, name_of

RNG = np.random.default_rng(3)
X = RNG.integers(-4, 5, (2, 3, 7, 4)).astype(np.float32)
"""Samples, outer, length, inner; with many equal elements."""


def compute(function: str, *arrays: np.ndarray, result: int = 0, **attributes: Any) -> np.ndarray:
    """The function of arrays [S, shape...]."""
    kinds = [TensorKind(array.shape[1:], name_of(array.dtype)) for array in arrays]
    return Call.of(function, kinds, attributes, result).compute(arrays)


def one(function: str, *arrays: Any, **attributes: Any) -> list[Any]:
    """The function of arrays without samples, as a list."""
    return compute(function, *(np.asarray(array)[None] for array in arrays), **attributes)[
        0
    ].tolist()


def columns():
    """Every place of X but that along the axis, and the list of numbers there."""
    for sample, outer, inner in np.ndindex(2, 3, 4):
        yield (sample, outer, slice(None), inner), X[sample, outer, :, inner].tolist()


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(("function", "extreme"), [("argmax", max), ("argmin", min)])
def test_position_of_an_extreme(function: str, extreme, last: bool):
    got = compute(function, X, axis=1, last=last)
    assert got.dtype == np.int64 and got.shape == (2, 3, 1, 4)
    for place, numbers in columns():
        found = [i for i, number in enumerate(numbers) if number == extreme(numbers)]
        assert got[place].tolist() == [found[-last]]
    dropped = compute(function, X, axis=-2, last=last, keepdims=False)
    np.testing.assert_array_equal(dropped, got[:, :, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
@pytest.mark.parametrize(("exclusive", "reverse"), list(product([False, True], repeat=2)))
def test_running_sums(exclusive: bool, reverse: bool, dtype: type):
    got = compute("cumsum", X.astype(dtype), axis=1, exclusive=exclusive, reverse=reverse)
    assert got.dtype == dtype
    for place, numbers in columns():
        for i, value in enumerate(got[place].tolist()):
            part = numbers[i + exclusive :] if reverse else numbers[: i + 1 - exclusive]
            assert value == sum(part)


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("count", [0, 1, 3, 7])
def test_largest_and_smallest(count: int, largest: bool):
    given = {"axis": 1, "count": count, "largest": largest}
    values = compute("top_k", X, **given)
    places = compute("top_k", X, result=1, **given)
    for place, numbers in columns():
        order = sorted(range(7), key=lambda i: (-numbers[i] if largest else numbers[i], i))
        assert places[place].tolist() == order[:count]
        assert values[place].tolist() == [numbers[i] for i in order[:count]]


def test_cumsum_rounds_once():
    """In f16 the sums of 0.1 would stand still at 256; they are summed in f64."""
    got = compute("cumsum", np.full((1, 4096), 0.1, np.float16), axis=0)
    exact = np.float64(np.float16(0.1)) * np.arange(1, 4097)
    np.testing.assert_array_equal(got.reshape(-1), exact.astype(np.float16))


def test_integers_wrap_and_divide_toward_zero():
    assert one("add", [127], np.array([1])) == [128]
    assert one("add", np.array([127], np.int8), np.array([1], np.int8)) == [-128]
    assert one("div", [7, -7, 7, -7, 6], [2, 2, -2, -2, -3]) == [3, -3, -3, 3, -2]
    assert one("mod", [7, -7, 7, -7], [3, 3, -3, -3]) == [1, 2, -2, -1]
    assert one("mod", [7, -7, 7, -7], [3, 3, -3, -3], fmod=True) == [1, -1, 1, -1]
    assert one("pow", [2, -1, 1, -3, 5], [10, -3, -9, 3, -1]) == [1024, -1, 1, -27, 0]
    assert one("pow", [4, 9], np.array([0.5, 1.5])) == [2, 27]
    for function in ("div", "mod"):
        with pytest.raises(FunctionError, match=f"{function}: an integer is divided by 0"):
            one(function, [1], [0])
    with pytest.raises(FunctionError, match="0 is raised to a negative power"):
        one("pow", [0], [-1])


def test_shifts_by_all_bits_leave_nothing():
    x, counts = np.array([1, 3, 255, 255], np.uint8), np.array([1, 7, 8, 200], np.uint8)
    assert one("bit_shift", x, counts, direction="left") == [2, 128, 0, 0]
    assert one("bit_shift", x, counts, direction="right") == [0, 0, 0, 0]


def test_indices_count_from_the_end_or_are_errors():
    data = np.arange(12).reshape(3, 4)
    assert one("gather", data, [-1, 0], axis=1) == [[3, 0], [7, 4], [11, 8]]
    assert one("gather_elements", data, [[-1, 0, 1, 2]]) == [[8, 1, 6, 11]]
    assert one("gather_nd", data, [[1, -1], [-3, 0]]) == [7, 0]
    assert one("scatter_nd", data, [[-1, -1]], [50])[2] == [8, 9, 10, 50]
    added = one(
        "scatter_elements",
        data,
        [[0, 0, 0, 0], [0, 0, -1, 0]],
        np.ones((2, 4), int),
        reduction="add",
    )
    assert added == [[2, 3, 3, 5], [4, 5, 6, 7], [8, 9, 11, 11]]
    for index in (-4, 3):
        with pytest.raises(
            FunctionError, match=f"gather: index {index} is out of range: axis 0 has 3"
        ):
            one("gather", data, [index])
        with pytest.raises(FunctionError, match=f"gather_nd: index {index} is out of range"):
            one("gather_nd", data, [[index, 0]])


def test_one_hot_and_triangles():
    assert one("one_hot", [1, -1, 5], [0.5, 2.0], depth=3) == [
        [0.5, 2.0, 0.5],
        [0.5, 0.5, 2.0],
        [0.5] * 3,
    ]
    assert one("trilu", [[1, 2], [3, 4]]) == [[1, 2], [0, 4]]
    assert one("trilu", [[1, 2], [3, 4]], upper=False, k=-1) == [[0, 0], [3, 0]]


def test_casts_round_once():
    exact = np.array([2**24 + 1, 2**53 + 1, -7])
    assert one("cast", exact, to="f32") == [float(np.float32(2**24)), float(2**53), -7.0]
    assert one("cast", np.array([1.9, -1.9, 0.1]), to="i32") == [1, -1, 0]
    assert one("cast", np.array([0.5, np.nan, 0.0]), to="bool") == [True, True, False]
    # Through f32 this would be rounded twice, up.
    number = 1 + 2**-8 + 2**-30
    assert one("cast", np.array([number]), to="bf16") == [float(ml_dtypes.bfloat16(1 + 2**-7))]
    assert one("cast", np.array([300, -1]), to="u8") == [44, 255]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_results_are_as_inferred(name: str):
    """For its example each function gives what it says, of several samples as of each one."""
    operands, attributes = FUNCTIONS[name].example
    results = FUNCTIONS[name].infer(operands, FUNCTIONS[name].complete(attributes))
    arrays = [RNG.integers(1, 3, (3, *x.shape)).astype(dtype_of(x.storage)) for x in operands]
    before = [array.copy() for array in arrays]
    for number, kind in enumerate(results):
        call = Call.of(name, operands, attributes, number)
        got = call.compute(arrays)
        assert got.shape == (3, *kind.shape) and name_of(got.dtype) == kind.storage
        shared = call.compute([arrays[0][:1], *arrays[1:]])
        np.testing.assert_array_equal(shared[0], got[0])
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)
