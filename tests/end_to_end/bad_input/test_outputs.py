"""Where outputs must not go: over inputs, into absent folders, onto a full disk."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from ..conftest import small_model
from .diagnostics import RELU, Smalti, assert_diagnostic


def test_output_in_no_folder_is_said_before_the_work(smalti: Smalti, tmp_path: Path, out: Path):
    """Before the model is even read: the one that is named is not there either."""
    ran = smalti("compile", tmp_path / "absent.onnx", "-o", out / "absent" / "m.smalti")
    assert_diagnostic(ran, "m.smalti", "cannot write", folder=out)


def test_output_folder_is_absent(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    ran = smalti(
        "compile", small_onnx, "--calibration", "random:0", "-o", tmp_path / "no" / "m.smalti"
    )
    assert_diagnostic(ran, "no")
    assert not (tmp_path / "no").exists()


def test_outputs_never_replace_inputs(
    smalti: Smalti, small_files: Path, small_data: Path, tmp_path: Path
):
    folder = tmp_path / "all"
    shutil.copytree(small_files, folder)
    onnx.save(small_model(), folder / "m.onnx")
    shutil.copy(small_data, folder / "data.npz")
    (folder / "link.npz").symlink_to("data.npz")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    program, model, data = folder / "small.smalti", folder / "m.onnx", folder / "data.npz"
    listing = folder / "small.isa.mlir"
    for words in (
        ("import", model, "-o", model),
        ("compile", model, "--quantize", "f32", "-o", model),
        ("compile", listing, "-o", listing),
        ("compile", folder / "small.tpu.mlir", "--emit", "tpu", "-o", program),
        ("assemble", listing, "-o", listing),
        ("disassemble", program, "-o", program),
        ("run", program, "--inputs", data, "--outputs", data),
        ("run", program, "--inputs", data, "--outputs", folder / "link.npz"),
        ("run", program, "--inputs", data, "--outputs", program),
    ):
        assert_diagnostic(smalti(*words))
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before, words


def test_output_places(
    smalti: Smalti, small_onnx: Path, small_files: Path, small_data: Path, tmp_path: Path
):
    (tmp_path / "folder").mkdir()
    words = ("compile", small_onnx, "--quantize", "f32", "-o")
    assert_diagnostic(smalti(*words, tmp_path / "folder"), "folder")
    assert_diagnostic(smalti(*words, tmp_path / ("n" * 300 + ".smalti")))
    assert_diagnostic(smalti(*words, tmp_path / "m.mlir"), "m.smalti")
    run = ("run", small_files / "small.smalti", "--inputs", small_data, "--outputs")
    assert_diagnostic(smalti(*run, tmp_path / "folder"), "folder")
    assert_diagnostic(smalti(*run, tmp_path / "absent" / "o.npz"), "o.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert smalti(*run, "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()


def test_a_failed_compilation_keeps_earlier_files(
    smalti: Smalti, small_onnx: Path, small_files: Path, tmp_path: Path
):
    folder = tmp_path / "all"
    shutil.copytree(small_files, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ran = smalti(
        "compile", small_onnx, "--calibration", "random:0", "--cores", 9, "--emit", "top,tpu,tile,program",
        "-o", folder / "small.smalti",
    )  # fmt: skip
    assert_diagnostic(ran)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("kind", ["fifo", "/dev/zero"])
@pytest.mark.parametrize(
    "words",
    [
        ["compile", "{}.mlir", "-o", "out.smalti"],
        ["compile", "{}", "-o", "out.smalti"],
        ["compile", "small.onnx", "--calibration", "{}", "-o", "out.smalti"],
        ["compile", "small.onnx", "--quantize", "f32", "--target", "{}", "-o", "out.smalti"],
        ["run", "{}", "--mode", "timing"],
        ["disassemble", "{}"],
        ["assemble", "{}", "-o", "out.smalti"],
        ["diff", "{}", "{}"],
        ["targets", "{}"],
        ["import", "{}", "-o", "out.mlir"],
    ],
    ids=lambda words: f"{words[0]}-{words.index('{}') if '{}' in words else 'ir'}",
)
def test_files_without_an_end_are_not_read(
    smalti: Smalti,
    small_onnx: Path,
    tmp_path: Path,
    words: list[str],
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    shutil.copy(small_onnx, "small.onnx")
    for name in ("endless", "endless.mlir"):
        os.mkfifo(name) if kind == "fifo" else os.symlink(kind, name)
    ran = smalti(*[word.format("./endless") for word in words])
    assert ran.code == 1 and "Traceback" not in ran.err and "internal error" not in ran.err
    assert "not a regular file" in ran.err or "no such file" in ran.err, ran.err


def test_a_full_disk_behind_standard_output_is_told(tmp_path: Path):
    (tmp_path / "m.mlir").write_text(RELU)
    code = "import sys; from smalti.tools.opt import main; sys.exit(main(sys.argv[1:]))"
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "m.mlir")],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.returncode == 1
    assert ran.stderr.startswith("standard output"), ran.stderr
    assert "error: No space left on device" in ran.stderr
    assert "free space" in ran.stderr
