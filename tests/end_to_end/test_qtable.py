"""`--qtable`: layers of one network in several number formats, from the command to the simulator."""

from pathlib import Path

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import calibrate_model, compile_model, import_model
from smalti.passes.top.calibration_table import CalibrationTable, write_table

from .bad_input.diagnostics import Smalti, assert_diagnostic

SAMPLES = np.random.default_rng(0).random((4, 1, 8, 8)).astype(np.float32)
TABLES = {
    "f16 in int8": ("int8", "logits f16\n"),
    "a block in bf16": ("int8", "/features/features.1/* BF16\n"),
    "a block in int8": ("f16", "/features/features.2/* int8\n"),
    "all but a block": ("int8", "* f32\n/features/features.3/* int8\n"),
    "later rows win": ("f32", "* int8\n* f16\n"),
}


def noise(digits_model: Path, quantize, qtable: Path | None) -> float:
    """The share of noise in the logits on the simulator."""
    calibration = {"image": SAMPLES}
    compiled = compile_model(
        digits_model, quantize=quantize, calibration=calibration, qtable=qtable
    )
    found = compiled.run({"image": SAMPLES})["logits"]
    exact = import_model(digits_model).run({"image": SAMPLES})["logits"]
    return float(np.square(found - exact).sum() / np.square(exact).sum())


@pytest.mark.parametrize("case", TABLES)
def test_mixed_networks_run_on_the_device(digits_model: Path, tmp_path: Path, case: str):
    quantize, rows = TABLES[case]
    table = tmp_path / "mixed.qtable"
    table.write_text(rows)
    # The whole network in int8 has .003 of noise.
    assert noise(digits_model, quantize, table) < 0.01


@pytest.mark.share(3)
def test_layers_in_floats_take_noise_away(digits_model: Path, tmp_path: Path):
    (tmp_path / "q").write_text("* f32\n")
    assert noise(digits_model, "int8", tmp_path / "q") < 1e-10 < noise(digits_model, "int8", None)


@pytest.mark.share(3)
def test_thresholds_hold_for_symmetric_layers(digits_model: Path, tmp_path: Path):
    """A scheme for all layers in the qtable is that of the network: both saturate at the table's thresholds."""
    table, qtable = tmp_path / "t.calibration", tmp_path / "q"
    calibrated = calibrate_model(digits_model, {"image": SAMPLES})
    halved = {
        name: row._replace(threshold=row.threshold / 2) for name, row in calibrated.rows.items()
    }
    write_table(CalibrationTable(halved), table)
    qtable.write_text("* symmetric-kl\n")
    inputs = {"image": SAMPLES}
    by_scheme, by_row, asymmetric = (
        compile_model(digits_model, calibration=table, **options).run(inputs)["logits"]
        for options in ({"scheme": "symmetric-kl"}, {"qtable": qtable}, {})
    )
    assert np.array_equal(by_scheme, by_row)
    assert not np.array_equal(by_scheme, asymmetric)


def test_the_command(smalti: Smalti, digits_model: Path, tmp_path: Path):
    out, table = tmp_path / "out", tmp_path / "mixed.qtable"
    out.mkdir()
    table.write_text("/features/features.2/* int8\n")
    words = ("--quantize", "f16", "--qtable", table, "--calibration", "random:0")
    ran = smalti("compile", digits_model, *words, "--emit", "tpu", "-o", out / "m.smalti")
    assert ran.code == 0 and "not used" not in ran.err
    ir = (out / "m.tpu.mlir").read_text()
    assert "xf16>" in ir and "!quant.uniform<i8" in ir
    ran = smalti("compile", digits_model, *words[:-2], "-o", out / "n.smalti")
    assert_diagnostic(ran, "needs calibration data", folder=out, kept=len(list(out.iterdir())))
    ran = smalti("compile", out / "m.tpu.mlir", "--qtable", table, "-o", out / "n.smalti")
    assert ran.code == 1 and "--qtable is settled in tpu IR" in ran.err
    ran = smalti("compare", digits_model, *words, "--samples", "2")
    assert ran.code == 0 and "logits" in ran.out


def test_mistakes(digits_model: Path, tmp_path: Path):
    table = tmp_path / "bad.qtable"
    for rows, words in (
        ("logit int8\n", "1:1: error: no layer is called 'logit'"),
        ("# fine\nconv* f16\n", "2:1: error: no layer is called 'conv"),
        ("logits int4\n", "1:8: error: there is no scheme 'int4'"),
        ("logits int8 f16\n", "1:13: error: unexpected 'f16', expected the end of the line"),
    ):
        table.write_text(rows)
        with pytest.raises(DiagnosticError) as caught:
            compile_model(digits_model, calibration="random:0", qtable=table)
        assert f"bad.qtable:{words}" in str(caught.value)
