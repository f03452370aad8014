"""Options that are malformed, contradict the input, or would do nothing."""

from pathlib import Path

import pytest

from .diagnostics import Smalti, assert_diagnostic


def test_usage_errors_exit_with_2(smalti: Smalti, small_onnx: Path):
    assert smalti("compile").code == 2
    assert smalti("compile", small_onnx, "--cores", "0").code == 2
    assert smalti("compile", small_onnx, "--emit", "top,bytecode").code == 2
    assert smalti("nonsense").code == 2
    assert smalti().code == 2


@pytest.mark.parametrize("level", ["tpu", "tile", "isa"])
@pytest.mark.parametrize(
    "options",
    [("--target", "edge-1c"), ("--quantize", "f32"), ("--calibration", "random:0"), ("--batch", 2)],
)
def test_options_that_ir_has_settled(
    smalti: Smalti, small_files: Path, out: Path, level: str, options: tuple[str, object]
):
    ran = smalti("compile", small_files / f"small.{level}.mlir", *options, "-o", out / "m.smalti")
    assert_diagnostic(ran, str(options[0]), folder=out)


def test_going_up_is_refused(smalti: Smalti, small_files: Path, out: Path):
    ran = smalti(
        "compile", small_files / "small.tile.mlir", "--emit", "top", "-o", out / "m.smalti"
    )
    assert_diagnostic(ran, "tile", "top", folder=out)


def test_options_of_run_that_do_nothing(smalti: Smalti, small_files: Path, small_data: Path):
    program = small_files / "small.smalti"
    assert_diagnostic(
        smalti("run", program, "--mode", "timing", "--outputs", "o.npz"), "--mode both"
    )
    assert_diagnostic(
        smalti("run", program, "--mode", "timing", "--compare", small_data), "--mode both"
    )
    assert_diagnostic(
        smalti("run", program, "--inputs", small_data, "--repeat", 2), "--mode timing"
    )
    ran = smalti("run", small_files / "small.tpu.mlir", "--inputs", small_data, "--mode", "both")
    assert_diagnostic(ran, "small.tpu.mlir", "compile")


def test_demo_refuses_before_it_makes_anything(smalti: Smalti, tmp_path: Path):
    assert_diagnostic(smalti("demo", "-o", tmp_path / "demo", "--target", "nope"), "nope")
    assert not (tmp_path / "demo").exists()
