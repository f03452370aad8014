"""Measures of error, against their definitions."""

import math

import numpy as np
import pytest
from smalti.compiler.comparison import Difference, compare_tensors, format_differences
from smalti.dialects.diagnostic import DiagnosticError


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


def test_worst_first_and_common_names_only():
    reference = {"a": np.ones(4), "b": np.ones(4), "c": np.ones(4)}
    got = {"a": np.ones(4), "b": np.ones(4) * 1.1, "z": np.ones(4)}
    found = compare_tensors(got, reference)
    assert [d.name for d in found] == ["b", "a"]
    table = format_differences(found, 1).splitlines()
    assert table[1].startswith("b") and "1 more" in table[2]


def test_refusals():
    with pytest.raises(DiagnosticError, match="no output has the name"):
        compare_tensors({"a": np.ones(1)}, {"b": np.ones(1)})
    with pytest.raises(DiagnosticError, match="shape"):
        compare_tensors({"a": np.ones(1)}, {"a": np.ones(2)})
