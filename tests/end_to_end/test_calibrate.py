"""`smalti calibrate` and `calibrate_model`: tables that a compilation takes, and what is told of mistakes."""

from pathlib import Path

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import calibrate_model, compile_model
from smalti.compiler.calibration.clipping.method import METHODS
from smalti.passes.top.calibration_table import read_table

from .bad_input.diagnostics import Smalti, assert_diagnostic


def samples(count: int) -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(0).normal(0, 1, (count, 3, 12, 12)).astype(np.float32)}


def test_the_table_of_min_max_is_that_of_a_compilation(
    smalti: Smalti, small_onnx: Path, tmp_path: Path
):
    np.savez(tmp_path / "data.npz", **samples(6))
    data, table = tmp_path / "data.npz", tmp_path / "mine.calibration"
    ran = smalti("calibrate", small_onnx, "--data", data, "-o", table)
    assert ran.code == 0 and "by min-max" in ran.out
    ran = smalti("compile", small_onnx, "--calibration", data, "-o", tmp_path / "m.smalti")
    assert ran.code == 0
    assert read_table(table) == read_table(tmp_path / "m.calibration")
    assert f"# data: {data}: x [6, 3, 12, 12]\n# method: min-max\n" in table.read_text()


def test_top_ir_is_calibrated_as_its_model_is(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    ir, ours, theirs = tmp_path / "m.top.mlir", tmp_path / "a.calibration", tmp_path / "b.calibration"  # fmt: skip
    assert smalti("import", small_onnx, "-o", ir).code == 0
    for source, table in ((ir, ours), (small_onnx, theirs)):
        ran = smalti("calibrate", source, "--data", "random:3", "--method", "mse", "-o", table)
        assert ran.code == 0
    assert read_table(ours) == read_table(theirs)


@pytest.mark.parametrize("method", [name.replace("P", "99") for name in METHODS])
def test_every_method_makes_a_table_that_compiles(small_onnx: Path, tmp_path: Path, method: str):
    data = samples(8)
    table = calibrate_model(small_onnx, data, method=method)
    assert {row.method for row in table.rows.values()} == {method}
    path = tmp_path / "m.calibration"
    path.write_text(str(table))
    compiled = compile_model(small_onnx, calibration=path)
    exact = compile_model(small_onnx, quantize="f32").run(data)
    for name, found in compiled.run(data).items():
        noise = np.square(found - exact[name]).sum() / np.square(exact[name]).sum()
        assert noise < 0.01, method


def test_mistakes(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    table = out / "m.calibration"
    ran = smalti("calibrate", small_onnx, "--data", "random:1", "--method", "mss", "-o", table)
    assert_diagnostic(ran, "no calibration method 'mss'", "did you mean mse?", folder=out)
    ran = smalti("calibrate", small_onnx, "--data", tmp_path / "none.npz", "-o", table)
    assert_diagnostic(ran, "none.npz", folder=out)
    words = ("--calibration", "random:1", "--emit", "tpu", "-o", tmp_path / "m.smalti")
    assert smalti("compile", small_onnx, *words).code == 0
    ran = smalti("calibrate", tmp_path / "m.tpu.mlir", "--data", "random:1", "-o", table)
    assert_diagnostic(ran, "level top", folder=out)
    with pytest.raises(DiagnosticError, match="no data for input"):
        calibrate_model(small_onnx, {"y": np.zeros(3)})
