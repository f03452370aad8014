"""What is wrong with the text of IR, its weights, and pipelines."""

import json
import os
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from smalti.tools import opt

from .diagnostics import RELU, Smalti, assert_diagnostic


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("builtin.module {\n  %0 = \n}", ["bad.mlir:"]),
        ("builtin.module {\n  top.nothing\n}", ["bad.mlir:"]),
        (
            'func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> attributes {smalti.inputs = ["x"], '
            'smalti.outputs = ["y"]} {\n'
            '  %y = "top.relu"(%x) <{name = "y"}> : (tensor<1x4xf32>) -> tensor<1x5xf32>\n'
            "  func.return %y : tensor<1x5xf32>\n}",
            ["top.relu"],
        ),
        ("", ["bad.mlir"]),
    ],
    ids=["syntax", "unknown op", "verifier", "empty"],
)
def test_bad_ir(smalti: Smalti, tmp_path: Path, out: Path, text: str, words: list[str]):
    path = tmp_path / "bad.mlir"
    path.write_text(text)
    ran = smalti("compile", path, "--calibration", "random:0", "-o", out / "m.smalti")
    assert_diagnostic(ran, *words, folder=out)


@pytest.mark.parametrize("level", ["top", "tpu", "tile", "isa"])
def test_weight_files(smalti: Smalti, small_files: Path, tmp_path: Path, out: Path, level: str):
    folder = tmp_path / "edited"
    shutil.copytree(small_files, folder)
    ir, weights = folder / f"small.{level}.mlir", folder / f"small.{level}.safetensors"
    data = weights.read_bytes()

    def check(*words: str) -> None:
        assert_diagnostic(smalti("compile", ir, "-o", out / "m.smalti"), *words, folder=out)

    for damaged in (b"", data[:20], data[:-1], (2**62).to_bytes(8, "little") + data[8:]):
        weights.write_bytes(damaged)
        check(weights.name)
    length = int.from_bytes(data[:8], "little")
    table = json.loads(data[8 : 8 + length])
    key = next(name for name in table if name != "__metadata__")
    for change in ({"shape": [1]}, {"dtype": "F64"}, {"data_offsets": [-4, 4]}, {"shape": "abc"}):
        header = json.dumps(table | {key: table[key] | change}).encode()
        weights.write_bytes(len(header).to_bytes(8, "little") + header + data[8 + length :])
        check(weights.name, key)
    weights.unlink()
    check(weights.name)
    (tmp_path / weights.name).write_bytes(data)
    ir.write_text(ir.read_text().replace(f'"{weights.name}"', f'"../{weights.name}"'))
    check("outside")


@pytest.mark.parametrize("level", ["top", "tpu", "tile", "isa"])
def test_edited_ir(smalti: Smalti, small_files: Path, small_data: Path, tmp_path: Path, level: str):
    """Numbers and words changed anywhere: it runs or is refused, in short time."""
    folder = tmp_path / "edited"
    shutil.copytree(small_files, folder)
    path = folder / f"small.{level}.mlir"
    text = path.read_text()
    numbers = list(re.finditer(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])|0x[0-9a-f]+", text))
    words = list(re.finditer(r"[A-Za-z_%][\w.]*", text))
    rng = np.random.default_rng(5)
    for index in range(24):
        if index % 2:
            found = numbers[rng.integers(len(numbers))]
            new = ["0", "-1", "99999999", str(2**63), "1e400", "3.5", "nan"][rng.integers(7)]
        else:
            found, other = (words[n] for n in rng.integers(len(words), size=2))
            new = other[0]
        path.write_text(text[: found.start()] + new + text[found.end() :])
        ran = smalti("run", path, "--inputs", small_data)
        if ran.code:
            assert_diagnostic(ran)


DECLARATION = "func.func private @f(tensor<4xf32>) -> tensor<4xf32>\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (DECLARATION + RELU, ["bad.mlir:1:1: error: expected one function", "one func.func @main"]),
        (RELU + DECLARATION, ["bad.mlir:5:1: error: expected one function"]),
        ("builtin.module {\n}", ["bad.mlir:1:1: error: the module holds no op of top"]),
        (RELU.replace('["x"]', '["x", "x"]'), ["bad.mlir:1:1: error: smalti.inputs must name"]),
        (
            RELU.replace(
                "  func.return", '  %w = top.weight "w" seed = -1 : tensor<4xf32>\n  func.return'
            ),
            ["seed -1 must be at least 0", "bad.mlir:3:3"],
        ),
        ('builtin.module attributes {smalti.weights = "a\\00b"} {\n}', ["weight file 'a\\x00b'"]),
        (
            'builtin.module attributes {smalti.weights = "loop.safetensors"} {\n}',
            ["cannot read the weights", "loop.safetensors", "links"],
        ),
        (
            'builtin.module attributes {smalti.weights = "fifo.safetensors"} {\n}',
            ["cannot read the weights: not a regular file", "fifo.safetensors"],
        ),
    ],
    ids=[
        "declaration",
        "declaration_below",
        "empty",
        "names",
        "negative_seed",
        "nul",
        "loop_of_links",
        "fifo",
    ],
)
def test_ir_that_ended_in_internal_errors(
    smalti: Smalti, tmp_path: Path, out: Path, text: str, words: list[str]
):
    (tmp_path / "loop.safetensors").symlink_to("loop.safetensors")
    os.mkfifo(tmp_path / "fifo.safetensors")
    path = tmp_path / "bad.mlir"
    path.write_text(text)
    ran = smalti("compile", path, "--quantize", "f32", "-o", out / "m.smalti")
    assert_diagnostic(ran, *words, folder=out)
    assert "internal error" not in ran.err


PIPELINES = ["nope", "canonicalize{", "canonicalize{x=1}", "canonicalize,,cse", "x" * 5000, "größe",
             "tile-split-over-cores{cores=0}", "convert-top-to-tpu{quantize=int4}"]  # fmt: skip


@pytest.mark.parametrize("pipeline", PIPELINES, ids=range(len(PIPELINES)))
def test_pipelines(small_files: Path, capfd: pytest.CaptureFixture[str], pipeline: str):
    assert opt.main([str(small_files / "small.top.mlir"), "-p", pipeline]) == 1
    captured = capfd.readouterr()
    assert "error:" in captured.err and "Traceback" not in captured.err and captured.out == ""


@pytest.mark.parametrize("quantize", ["f32", "int8"])
def test_tensors_larger_than_the_memory_are_refused_at_once(
    smalti: Smalti, tmp_path: Path, out: Path, quantize: str
):
    """Before calibration computes them, and before they are cut into tiles."""
    text = RELU.replace(
        '  %y = top.relu "y" %x : (tensor<4xf32>) -> tensor<4xf32>',
        '  %y = top.pad "y" %x low = [0] high = [9999999996] value = 0.0 : '
        "(tensor<4xf32>) -> tensor<10000000000xf32>",
    ).replace("-> tensor<4xf32> attr", "-> tensor<10000000000xf32> attr")
    text = text.replace("return %y : tensor<4xf32>", "return %y : tensor<10000000000xf32>")
    path = tmp_path / "pad.top.mlir"
    path.write_text(text)
    words = ["--quantize", quantize, *(["--calibration", "random:0"] if quantize == "int8" else [])]
    started = time.perf_counter()
    ran = smalti("compile", path, *words, "-o", out / "m.smalti")
    assert_diagnostic(ran, "10000000000", "global memory", "default-8c", folder=out)
    assert time.perf_counter() - started < 5
    if quantize == "f32":
        passes = "convert-top-to-tpu{quantize=f32},convert-tpu-to-tile"
        assert opt.main([str(path), "-p", passes]) == 1
