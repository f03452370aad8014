"""What is wrong with targets, or too large for them."""

import re
from pathlib import Path

import pytest
from smalti.backends.targets import target

from .diagnostics import Smalti, assert_diagnostic

TARGET_EDITS = {
    "unknown field": (None, "warp_drive = 9\n", ["warp_drive"]),
    "zero cores": ("cores", "cores = 0\n", ["cores"]),
}


@pytest.mark.parametrize("case", TARGET_EDITS)
def test_bad_target_file(smalti: Smalti, small_onnx: Path, tmp_path: Path, out: Path, case: str):
    replaced, line, words = TARGET_EDITS[case]
    shipped = Path(target.__file__).parent / "default-8c.toml"
    lines = shipped.read_text(encoding="utf-8").splitlines(keepends=True)
    if replaced:
        kept = [line if text.split("=")[0].strip() == replaced else text for text in lines]
    else:
        kept = [line, *lines]
    path = tmp_path / "mine.toml"
    path.write_text("".join(kept))
    ran = smalti(
        "compile", small_onnx, "--calibration", "random:0", "--target", path, "-o", out / "m.smalti"
    )
    assert_diagnostic(ran, "mine.toml", *words, folder=out)


def test_unknown_target(smalti: Smalti, small_onnx: Path, out: Path):
    ran = smalti(
        "compile",
        small_onnx,
        "--calibration",
        "random:0",
        "--target",
        "defalt-8c",
        "-o",
        out / "m.smalti",
    )
    assert_diagnostic(ran, "defalt-8c", "default-8c", folder=out)


def test_more_cores_than_there_are(smalti: Smalti, small_onnx: Path, out: Path):
    ran = smalti(
        "compile", small_onnx, "--calibration", "random:0", "--cores", 9, "-o", out / "m.smalti"
    )
    assert_diagnostic(ran, "9", "8", "cores", folder=out)


def test_model_too_big_for_global_memory(
    smalti: Smalti, small_onnx: Path, tmp_path: Path, out: Path
):
    shipped = (Path(target.__file__).parent / "edge-1c.toml").read_text(encoding="utf-8")
    head, section, rest = shipped.partition("[global_memory]")
    path = tmp_path / "tiny.toml"
    path.write_text(
        head + section + re.sub(r"size_bytes = [\d_]+", "size_bytes = 4096", rest, count=1)
    )
    ran = smalti(
        "compile", small_onnx, "--calibration", "random:0", "--target", path, "-o", out / "m.smalti"
    )
    assert_diagnostic(ran, "global memory", "4096", folder=out)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cores", "-1"), ("cores", "1.5"), ("cores", '"one"'), ("cores", "9" * 60),
        ("clock_ghz", "nan"), ("clock_ghz", "inf"), ("clock_ghz", "0"), ("size_bytes", "true"),
        ("rows", "1e-30"), ("dataflow", '"sideways"'), ("lane_group", "[1]"), ("name", "3"),
    ],
)  # fmt: skip
def test_wrong_target_values(
    smalti: Smalti, small_onnx: Path, tmp_path: Path, out: Path, field: str, value: str
):
    shipped = (Path(target.__file__).parent / "edge-1c.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(re.sub(rf"(?m)^{field} = .*$", f"{field} = {value}", shipped, count=1))
    ran = smalti(
        "compile", small_onnx, "--quantize", "f32", "--target", path, "-o", out / "m.smalti"
    )
    assert_diagnostic(ran, "mine.toml", field, folder=out)
