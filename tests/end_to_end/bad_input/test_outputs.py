"""Where outputs must not go: over inputs, into absent folders, onto a full disk."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from onnx import TensorProto, numpy_helper
from smalti.tools import extract, main, opt

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


@contextmanager
def files_of_at_most(size_bytes: int) -> Iterator[None]:
    """Let no file that is written grow larger, as a disk does that has no more space."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def long_network(value: float) -> onnx.ModelProto:
    """x + w, and so many ops after it that the text of the network is larger than its weights; `w` is full of
    `value`.
    """
    weight = numpy_helper.from_array(np.full(4, value, np.float32), "w")
    names = [f"r{number}" for number in range(200)]
    nodes = [oh.make_node("Add", ["x", "w"], ["r0"])]
    nodes += [oh.make_node("Neg", [a], [b]) for a, b in pairwise(names)]
    graph = oh.make_graph(
        nodes,
        "long",
        [oh.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [oh.make_tensor_value_info(names[-1], TensorProto.FLOAT, [4])],
        [weight],
    )
    return oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)


PAIR_WRITERS = {
    "import": (main.main, "import {}.onnx"),
    "opt": (opt.main, "{}.mlir --convert-top-to-tpu=quantize=f16"),
    "extract": (extract.main, "{}.mlir --span r0 r199 --inputs random:0"),
}
"""Commands that write text and weights, with their words, in which {} is a network's path without its suffix."""


@pytest.mark.parametrize("name", PAIR_WRITERS)
def test_a_full_disk_leaves_text_and_weights_as_they_were(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """The weights fit the disk, the text that comes after them does not."""
    for value in (1, 2):
        model = tmp_path / f"{value}.onnx"
        onnx.save(long_network(value), model)
        assert main.main(["import", str(model), "-o", str(model.with_suffix(".mlir"))]) == 0
    written = tmp_path / "out"
    written.mkdir()
    output = written / "m.mlir"
    run, words = PAIR_WRITERS[name]
    assert run([*words.format(tmp_path / "1").split(), "-o", str(output)]) == 0
    before = {path.name: path.read_bytes() for path in written.iterdir()}
    assert len(before["m.mlir"]) > 8000 > len(before["m.safetensors"])
    capfd.readouterr()
    with files_of_at_most(8000):
        assert run([*words.format(tmp_path / "2").split(), "-o", str(output)]) == 1
    shown = capfd.readouterr().err
    assert shown.startswith(f"{output}: error: cannot write: File too large"), shown
    assert {path.name: path.read_bytes() for path in written.iterdir()} == before
