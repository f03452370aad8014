"""Ranges for 4 bits: calibrated beside those of 8 bits, and what products in 4 bits saturate at."""

from pathlib import Path

import pytest
from smalti.compiler import calibrate_model
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.dialects import tpu
from smalti.dialects.quant.element_type import element_of
from smalti.passes.top.calibration_grammar import read_table

from .bad_input.diagnostics import Smalti, assert_diagnostic


@pytest.fixture
def table(smalti: Smalti, small_onnx: Path, small_data: Path, tmp_path: Path) -> Path:
    path = tmp_path / "m.calibration"
    words = ["calibrate", small_onnx, "--data", small_data, "--method", "min-max"]
    ran = smalti(*words, "--four-bits", "mse-i4", "-o", path)
    assert ran.code == 0, ran.err
    return path


def test_the_table_has_both(small_onnx: Path, small_data: Path, table: Path):
    found = read_table(table)
    assert found.rows == calibrate_model(small_onnx, small_data, method="min-max").rows
    assert found.four_bits == calibrate_model(small_onnx, small_data, method="mse-i4").rows


def test_products_in_4_bits_read_tensors_in_their_range_of_4_bits(small_onnx: Path, table: Path):
    compilation = start_from_model(small_onnx, CompileOptions(scheme="w4a4", calibration=table))
    compilation.lower_to("tpu")
    rows = read_table(table)
    ranges = {
        op.operands[0].owner.result_name.data: element_of(op.output)
        for op in compilation.module.walk()
        if isinstance(op, tpu.RequantizeOp) and isinstance(op.operands[0].owner, tpu.TpuOp)
    }
    narrow = {name: each for name, each in ranges.items() if each.storage_max == 7}
    assert narrow
    for name, each in narrow.items():
        row = rows.four_bits[name]
        low, high = max(row.low, rows.rows[name].low), min(row.high, rows.rows[name].high)
        assert each.scale == pytest.approx((max(high, 0) - min(low, 0)) / 15, rel=0.01)


def test_a_method_that_there_is_not(
    smalti: Smalti, small_onnx: Path, small_data: Path, tmp_path: Path
):
    words = ["calibrate", small_onnx, "--data", small_data, "-o", tmp_path / "m.calibration"]
    assert_diagnostic(smalti(*words, "--four-bits", "mse4"), "no calibration method 'mse4'")


def test_search_tells_of_rows_that_fit_nothing(
    smalti: Smalti, small_onnx: Path, small_data: Path, table: Path
):
    text = table.read_text()
    table.write_text(text.replace("\nr1 ", "\nr11 ", 1) + "\n#asym_op\nx\n")
    words = ["search", small_onnx, "--calibration", table, "--data", small_data]
    ran = smalti(*words, "--at-least", "cos=0.5", "--scheme", "int8")
    assert "section #asym_op of the table is not used" in ran.err
    assert "1 name that no value has" in ran.err and "did you mean r1?" in ran.err
