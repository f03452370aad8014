"""Measures of error, against their definitions."""

import math

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.analysis.comparison import (
    Difference,
    compare_tensors,
    worst_first,
)


def test_equal_tensors():
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    d = Difference.between("x", x, x)
    assert (d.cosine, d.snr_db, d.largest_error, d.reference_range) == (1.0, math.inf, 0.0, 5.0)


def test_known_noise():
    reference = np.array([3.0, 4.0])
    d = Difference.between("x", np.array([3.0, 4.5]), reference)
    assert d.snr_db == pytest.approx(10 * math.log10(25 / 0.25))
    assert d.largest_error == 0.5
    assert d.cosine == pytest.approx((9 + 18) / (5 * math.hypot(3, 4.5)))


def test_zero_reference():
    d = Difference.between("x", np.array([1.0]), np.array([0.0]))
    assert d.snr_db == -math.inf and d.cosine == 0.0


def test_ranges_include_0():
    """As quantized ranges do: one number has a range, too, and so have numbers far from 0 that are near each other."""
    assert Difference.between("x", np.array([2.5]), np.array([2.0])).range_share == 0.25
    assert (
        Difference.between("x", np.array([-8.0, -9.0]), np.array([-8.0, -10.0])).range_share == 0.1
    )


def test_zeros_that_are_missed_have_no_range_to_share():
    d = Difference.between("x", np.array([1.0, 2.0]), np.zeros(2))
    assert d.range_share == math.inf and d.to_json()["largest_error_range_share"] is None
    exact = Difference.between("x", np.zeros(2), np.zeros(2))
    assert exact.range_share == 0 and exact.to_json()["snr_db"] is None


def test_worst_first_and_common_names_only():
    reference = {"a": np.ones(4), "b": np.ones(4), "c": np.ones(4)}
    got = {"a": np.ones(4), "b": np.ones(4) * 1.1, "z": np.ones(4)}
    found = compare_tensors(got, reference)
    assert [d.name for d in found] == ["a", "b"]
    assert [d.name for d in worst_first(found)] == ["b", "a"]


@pytest.mark.filterwarnings("error")
def test_equal_infinities_are_equal():
    x = np.array([1, -np.inf, np.inf, np.nan, 3], np.float32)
    d = Difference.between("x", x, x)
    assert d.equal and (d.cosine, d.largest_error, d.reference_range, d.unmatched) == (1, 0, 3, 0)
    near = Difference.between("x", x + np.float32(0.5), x)
    assert near.snr_db == pytest.approx(10 * math.log10(10 / 0.5)) and near.largest_error == 0.5
    assert Difference.between("x", np.full(3, np.nan), np.full(3, np.nan)).equal


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("wrong", [np.inf, -np.inf, np.nan])
def test_unequal_infinities_are_as_wrong_as_can_be(wrong: float):
    right = np.array([1.0, 2.0, -np.inf if wrong == np.inf else np.inf])
    d = Difference.between("x", np.array([1.0, wrong, wrong]), right)
    assert (d.snr_db, d.largest_error, d.range_share) == (-math.inf, math.inf, math.inf)
    assert d.unmatched == 2 and d.cosine == 1
    row = d.to_json()
    assert row["snr_db"] is None and row["equal"] is False and row["unmatched"] == 2


@pytest.mark.filterwarnings("error")
def test_numbers_whose_squares_overflow():
    x = np.array([1e300, -1.5e308])
    d = Difference.between("x", x * 1.1, x)
    assert d.snr_db == pytest.approx(20) and d.cosine == pytest.approx(1)
    assert d.largest_error == pytest.approx(1.5e307)


def test_refusals():
    with pytest.raises(DiagnosticError, match="no output has the name"):
        compare_tensors({"a": np.ones(1)}, {"b": np.ones(1)})
    with pytest.raises(DiagnosticError, match="shape"):
        compare_tensors({"a": np.ones(1)}, {"a": np.ones(2)})
