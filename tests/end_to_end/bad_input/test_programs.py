"""What is wrong with program files and isa listings."""

import re
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from onnx import TensorProto
from smalti.backends.instructions.instruction_set import Pool
from smalti.backends.program import container
from smalti.backends.program.encoding import word_dtype

from .diagnostics import Smalti, assert_diagnostic


def test_truncated_program(smalti: Smalti, small_files: Path, tmp_path: Path):
    data = (small_files / "small.smalti").read_bytes()
    path = tmp_path / "cut.smalti"
    for length in (0, 3, 40, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        assert_diagnostic(smalti("run", path, "--mode", "timing"), "cut.smalti")


def test_flipped_byte_in_program(smalti: Smalti, small_files: Path, tmp_path: Path):
    data = bytearray((small_files / "small.smalti").read_bytes())
    path = tmp_path / "flipped.smalti"
    for position in np.random.default_rng(0).integers(0, len(data), 12):
        damaged = bytearray(data)
        damaged[position] ^= 0x40
        path.write_bytes(damaged)
        ran = smalti("run", path, "--mode", "timing")
        # A byte of the padding between sections belongs to nothing and may differ, or is checked too: never a crash.
        assert ran.code in (0, 1) and "Traceback" not in ran.err
        if ran.code:
            assert_diagnostic(ran, "flipped.smalti")


def test_instruction_outside_memory(smalti: Smalti, small_files: Path, tmp_path: Path):
    folder = tmp_path / "edited"
    shutil.copytree(small_files, folder)
    path = folder / "small.isa.mlir"
    lines = path.read_text().splitlines(keepends=True)
    index = next(i for i, line in enumerate(lines) if ": conv2d " in line)
    lines[index] = lines[index].replace("x=0x", "x=0xfff", 1)
    path.write_text("".join(lines))
    ran = smalti("assemble", path, "-o", folder / "edited.smalti")
    assert_diagnostic(ran, "conv2d", "memory")
    assert not (folder / "edited.smalti").exists()


ISA_EDITS = {
    "unknown instruction": (": conv2d ", ": conv3d ", "conv3d"),
    "unknown field": (" rows=", " rowz=", "rowz"),
    "after a later one": ("after d0 ", "after m0 ", "m0"),
    "after nothing": ("after d0 ", "after d9999 ", "d9999"),
    "core twice": ("isa.stream core(1)", "isa.stream core(0)", "core"),
    "no such core": ("isa.stream core(1)", "isa.stream core(9)", "core"),
    "port size": ("f32[1, 3, 12, 12]", "f32[1, 3, 999999, 12]", "input"),
    "port type": ("f32[1, 3, 12, 12]", "f99[1, 3, 12, 12]", "f99"),
    "segment": ("scratch = ", "scratch = 9999999999", "memory"),
    "target": ('target("default-8c"', 'target("nope"', "nope"),
    "counters": ("counters(", "counters(99999", "counters"),
}


@pytest.mark.parametrize("case", ISA_EDITS)
def test_edited_isa(smalti: Smalti, small_files: Path, tmp_path: Path, case: str):
    old, new, word = ISA_EDITS[case]
    text = (small_files / "small.isa.mlir").read_text()
    assert old in text
    shutil.copy(small_files / "small.isa.safetensors", tmp_path)
    (tmp_path / "small.isa.mlir").write_text(text.replace(old, new, 1))
    ran = smalti("assemble", tmp_path / "small.isa.mlir", "-o", tmp_path / "m.smalti")
    assert_diagnostic(ran, "small.isa.mlir", word)
    assert not (tmp_path / "m.smalti").exists()


def test_deadlock(smalti: Smalti, small_files: Path, small_data: Path, tmp_path: Path):
    """A wait for a signal that never comes: told in every mode, not waited for."""
    text = (small_files / "small.isa.mlir").read_text()
    assert " wait c" in text
    shutil.copy(small_files / "small.isa.safetensors", tmp_path)
    path = tmp_path / "small.isa.mlir"
    path.write_text(re.sub(r" wait c(\d+)>=\d+", r" wait c\1>=4000000000", text))
    for options in (["timing"], ["functional", "--inputs", small_data]):
        assert_diagnostic(smalti("run", path, "--mode", *options), "wait")
    ran = smalti("run", path, "--mode", "timing", "--sanitize")
    assert_diagnostic(ran, "deadlock", "core")


def edited_pool(smalti: Smalti, folder: Path, **fields: int) -> Path:
    """A program with one max pool over 8x8 pixels whose fields are set to `fields`."""
    value = oh.make_tensor_value_info
    graph = oh.make_graph(
        [oh.make_node("MaxPool", ["x"], ["y"], name="pool", kernel_shape=[3, 3])],
        "pool",
        [value("x", TensorProto.FLOAT, [1, 16, 8, 8])],
        [value("y", TensorProto.FLOAT, [1, 16, 6, 6])],
    )
    onnx.save(
        oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8),
        folder / "m.onnx",
    )
    path = folder / "m.smalti"
    assert smalti("compile", folder / "m.onnx", "--calibration", "random:0", "-o", path).code == 0
    program = container.load(path)
    program.streams = [stream.copy() for stream in program.streams]
    for stream in program.streams:
        words = stream.view(word_dtype(Pool))
        for name, number in fields.items():
            words[name][stream["opcode"] == Pool.opcode] = number
    container.save(program, path)
    return path


@pytest.mark.parametrize(
    "fields",
    [
        {"kernel_height": 65535, "kernel_width": 65535},
        {"dilation_height": 65535, "dilation_width": 65535},
        {"stride_height": 65535, "stride_width": 65535},
    ],
    ids=["kernel", "dilation", "stride"],
)
def test_windows_far_beyond_the_image(smalti: Smalti, tmp_path: Path, fields: dict[str, int]):
    """A few bytes of instruction may not ask for hours of work or all memory."""
    path = edited_pool(smalti, tmp_path, **fields)
    assert_diagnostic(smalti("run", path, "--mode", "timing"), "pool", *fields)
