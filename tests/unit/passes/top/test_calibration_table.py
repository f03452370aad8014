"""Calibration tables: written and read, and what can be wrong with one."""

import json

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.passes.top.calibration_table import read_table, write_table


def test_a_table_comes_back_to_the_bit(tmp_path):
    path = tmp_path / "table.json"
    ranges = {"x": (-1.0, 2.5), "ü": (0.0, 0.0), "y": (-0.1, 1 / 3)}
    write_table(ranges, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "format": 1,
        "ranges": {name: list(bounds) for name, bounds in ranges.items()},
    }
    assert read_table(path) == ranges
    with pytest.raises(DiagnosticError):
        write_table({}, tmp_path / "none" / "table.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not JSON"),
        ("{\n  x", "ranges.json:2:3"),
        ("\x00\xff", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "it has no 'ranges'"),
        ({"format": 2, "ranges": {}}, "format is 2, this Smalti reads 1"),
        ({"ranges": {}}, "format is None"),
        ({"format": 1, "ranges": []}, "it has no 'ranges'"),
        ({"format": 1, "ranges": {"x": [1]}}, "the range of 'x' is not [low, high]"),
        ({"format": 1, "ranges": {"x": ["a", 1]}}, "the range of 'x' is not [low, high]"),
        ({"format": 1, "ranges": {"x": [True, 1]}}, "the range of 'x' is not [low, high]"),
        ('{"format": 1, "ranges": {"x": [NaN, 1]}}', "is not finite"),
        ('{"format": 1, "ranges": {"x": [0, 1e999]}}', "is not finite"),
        ('{"format": 1, "ranges": {"x": [0, 1%s]}}' % ("0" * 400), "is not finite"),
        ({"format": 1, "ranges": {"x": [2, 1]}}, "is upside down"),
    ],
)
def test_bad_tables_are_diagnostics(table, content, message):
    path = table(content)
    with pytest.raises(DiagnosticError) as caught:
        read_table(path)
    assert message in str(caught.value)
    assert path in str(caught.value)


def test_a_missing_table_is_a_diagnostic(tmp_path):
    with pytest.raises(DiagnosticError, match="cannot read the calibration table"):
        read_table(tmp_path / "none.json")
