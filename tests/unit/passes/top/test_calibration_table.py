"""Calibration tables: written and read, Smalti's and TPU-MLIR's, and what can be wrong with one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module
from smalti.passes.top.annotate_calibration import AnnotateCalibration
from smalti.passes.top.calibration_grammar import parse_table, read_table
from smalti.passes.top.calibration_table import (
    CalibrationTable,
    Row,
    table_of,
    write_table,
)

REAL = st.floats(allow_nan=False, allow_infinity=False)
METHODS = st.sampled_from(["", "min-max", "kl", "percentile:99.9"])
ROW = st.tuples(REAL, REAL, REAL, METHODS).map(
    lambda each: Row(abs(each[0]), min(each[1:3]), max(each[1:3]), each[3])
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
ROWS = st.dictionaries(NAMES, ROW, max_size=6)
TPU_MLIR = """\
# generated time: 2024-03-01 10:11:12.131415
# histogram number: 2048
# sample number: 100
# tune number: 5
###
# op_name    threshold    min    max
data 2.6400001 -2.1179039 2.6400001
/conv1/Conv_output_0_Conv 1.5000000 -1.7000000 1.4000000

#int4_th
data 2.0000000 -2.2857143 2.0000000
#asym_op
data
"""


def test_a_table_is_text_for_people(tmp_path):
    ranges = {"image": (0.0, 1.0), "two words": (-0.1, 1 / 3), "#1": (-8.0, -2.0)}
    path = tmp_path / "m.calibration"
    write_table(table_of(ranges, ["data: images.npz, 4 samples"]), path)
    assert path.read_text() == (
        "# data: images.npz, 4 samples\n"
        "#\n"
        "# name                threshold   min                 max  method\n"
        "image                       1.0   0.0                 1.0  min-max\n"
        '"two words"  0.3333333333333333  -0.1  0.3333333333333333  min-max\n'
        '"#1"                        8.0  -8.0                -2.0  min-max\n'
    )
    assert read_table(path).ranges == ranges
    with pytest.raises(DiagnosticError):
        write_table(table_of({}), tmp_path / "none" / "m.calibration")


@given(ROWS, ROWS, st.frozensets(NAMES, max_size=3))
def test_a_table_comes_back_to_the_bit(rows, four_bits, asymmetric):
    table = CalibrationTable(rows, ["made by a test"], four_bits, asymmetric)
    found = parse_table(str(table), "x.calibration")
    assert found == CalibrationTable(rows, (), four_bits, asymmetric)


@given(st.text())
def test_any_text_is_a_table_or_a_diagnostic(text):
    try:
        parse_table(text, "x.calibration")
    except DiagnosticError as error:
        assert str(error).startswith("x.calibration:")


def test_tables_of_tpu_mlir_are_read():
    table = parse_table(TPU_MLIR, "x")
    assert table.rows["data"] == Row(2.6400001, -2.1179039, 2.6400001)
    assert table.ranges["/conv1/Conv_output_0_Conv"] == (-1.7, 1.4)
    assert table.four_bits == {"data": Row(2.0, -2.2857143, 2.0)}
    assert table.asymmetric == {"data"}


def test_what_is_written_can_be_read():
    odd = {"\ud800": (np.float32(0), np.float32(1.5)), "x": (0.0, 1.0)}
    text = str(table_of(odd, ["data: a\nx 1 0 9.npz"]))  # pyright: ignore[reportArgumentType]
    text.encode("utf-8")
    assert parse_table(text, "x").ranges == odd


def test_sections_of_other_numbers_of_bits_are_told(network, table):
    told = []
    ctx = make_context()
    ctx.on_report = told.append
    body = '%b = top.relu "/conv1/Conv_output_0_Conv" %data : (tensor<4xf32>) -> tensor<4xf32>'
    module = parse_module(network({"data": "4xf32"}, body, "%b", "4xf32"), ctx)
    AnnotateCalibration(table(TPU_MLIR)).apply(ctx, module)
    assert "section #asym_op of the table is not used" in str(told[0])


def test_a_mark_before_the_text_is_none(table):
    assert read_table(table(b"\xef\xbb\xbfx 1 0 1\n")).ranges == {"x": (0, 1)}


def test_comments_blank_lines_and_names_like_numbers():
    text = "\r\n  # of a person\n12 1 0 1 kl # here too\r\n\n\tx\t1e0 -.5 +1.\t\n"
    assert parse_table(text, "x").rows == {"12": Row(1, 0, 1, "kl"), "x": Row(1, -0.5, 1)}
    assert parse_table("", "x") == CalibrationTable({})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"format": 1}', "x.calibration:1:12: error: unexpected '1}', expected a number"),
        ("x 1 0\n", "x.calibration:1:6: error: the line ends too early, expected a number"),
        ("# fine\nx 1 zero 1\n", "x.calibration:2:5: error: unexpected 'zero', expected a number"),
        ("x 1 0 1 kl mse\n", "x.calibration:1:12: error: unexpected 'mse', expected the end of the line"),
        ("x\n", "expected a number"),
        ("x 1 0 nan\n", "x.calibration:1:7: error: nan is not finite"),
        ("x 1 0 1e999\n", "1e999 is not finite"),
        ("x 1 2 1\n", "x.calibration:1:5: error: the range of 'x' is upside down: its min is 2, its max 1"),
        ("x -1 0 1\n", "x.calibration:1:3: error: the threshold of 'x' is negative"),
        ("x 1 0 1\ny 1 0 1\nx 1 0 2\n", "x.calibration:3:1: error: 'x' is there twice, first in line 1"),
        ('"a\\q" 1 0 1\n', "not a name: Invalid \\escape"),
        ("#weight_scale\nx 1 0.5 1 0\n", "section '#weight_scale' is not read"),
        ("[" * 100_000, "the line ends too early"),
        ("y" * 5000 + " 1 0 1\n", "y…' has 5,000 characters"),
        ("#asym_op\nx\n#asym_op\ny\n", "x.calibration:3:1: error: section '#asym_op' is there twice"),
        (b"\x00\xff", "byte 1 is not UTF-8"),
    ],
)  # fmt: skip
def test_bad_tables_are_diagnostics(table, content, message):
    path = table(content)
    with pytest.raises(DiagnosticError) as caught:
        read_table(path)
    assert message in str(caught.value)
    assert path in str(caught.value)


def test_a_missing_table_is_a_diagnostic(tmp_path):
    with pytest.raises(DiagnosticError, match="cannot read the calibration table"):
        read_table(tmp_path / "none.calibration")


def test_a_folder_is_told_how_to_become_a_table(tmp_path):
    with pytest.raises(DiagnosticError, match="this is a folder") as caught:
        read_table(tmp_path)
    assert f"smalti calibrate MODEL --data {tmp_path}" in (caught.value.hint or "")
