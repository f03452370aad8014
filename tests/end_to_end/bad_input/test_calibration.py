"""What is wrong with calibration data, seeds and tables."""

from pathlib import Path

import numpy as np
import pytest
from smalti.tools import opt

from .diagnostics import Smalti, assert_diagnostic


def calibration_cases() -> dict[str, dict[str, np.ndarray]]:
    good = np.zeros((4, 3, 12, 12), np.float32)
    bad = good.copy()
    bad[1, 2, 3, 4] = np.nan
    return {
        "without the input": {"other": good, "third": good},
        "wrong shape": {"x": good[:, :, :5]},
        "nan": {"x": bad},
        "empty": {"x": good[:0]},
    }


@pytest.mark.parametrize("case", calibration_cases())
def test_calibration_data(smalti: Smalti, small_onnx: Path, tmp_path: Path, out: Path, case: str):
    path = tmp_path / "data.npz"
    np.savez(path, **calibration_cases()[case])  # pyright: ignore[reportArgumentType]
    ran = smalti("compile", small_onnx, "--calibration", path, "-o", out / "m.smalti")
    assert_diagnostic(ran, "x", folder=out)


def test_calibration_file_is_no_npz(smalti: Smalti, small_onnx: Path, tmp_path: Path, out: Path):
    path = tmp_path / "data.npz"
    path.write_bytes(b"PK\x03\x04 not really")
    ran = smalti("compile", small_onnx, "--calibration", path, "-o", out / "m.smalti")
    assert_diagnostic(ran, "data.npz", folder=out)


def test_calibration_file_with_pickle(smalti: Smalti, small_onnx: Path, tmp_path: Path, out: Path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.array([{"a": 1}], dtype=object))
    ran = smalti("compile", small_onnx, "--calibration", path, "-o", out / "m.smalti")
    assert_diagnostic(ran, "data.npz", "objects", folder=out)


def test_int8_needs_calibration(smalti: Smalti, small_onnx: Path, out: Path):
    ran = smalti("compile", small_onnx, "-o", out / "m.smalti")
    assert_diagnostic(ran, "calibration", "random:", folder=out)


@pytest.mark.parametrize("seed", ["", "x", "-1", "1.5"])
def test_random_calibration_needs_a_seed(smalti: Smalti, small_onnx: Path, out: Path, seed: str):
    ran = smalti("compile", small_onnx, "--calibration", f"random:{seed}", "-o", out / "m.smalti")
    assert_diagnostic(ran, "seed", folder=out)


@pytest.mark.parametrize(
    "table",
    ["[]", "{}", "x", "x 1 1 -1", "x 1 0 nan", "x wide", "x -1 0 1", "x 1 0 1 max 3", "[" * 50000],
    ids=range(9),
)  # fmt: skip
def test_calibration_tables(
    small_files: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], table: str
):
    (tmp_path / "x.calibration").write_text(table)
    pipeline = f'top-annotate-calibration{{table="{tmp_path / "x.calibration"}"}}'
    assert opt.main([str(small_files / "small.top.mlir"), "-p", pipeline]) == 1
    captured = capfd.readouterr()
    assert "x.calibration" in captured.err and "Traceback" not in captured.err
