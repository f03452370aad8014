"""Small files that once took all time or memory, ended in internal errors, or were taken though they are wrong."""

from pathlib import Path

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from onnx import numpy_helper
from smalti.backends.targets.target import load_target

from .diagnostics import Smalti, assert_diagnostic

LISTING = """\
isa.program @main target("edge-1c", "{hash}") counters(0)
    segments(weights = 0, input = {input}, output = 128, scratch = 0)
    inputs("x" f32[1, 32] at 0)
    outputs("y" f32[1, 32] at 0) {{
  isa.stream core(0) local({local}) acc(0) {{
    d0: load src_space=global, dst_space=local, src_segment=input, src={start}, dst=0x0, run=128
    d1: load src_space=global, dst_space=local, src_segment=input, src=0x0, dst=0x0, run=64, count0=2, src_stride0=64, dst_stride0={stride}
    s0: store src_space=local, dst_space=global, dst_segment=output, src=0x0, dst=0x0, run=128 after d1
  }}
}}
"""  # noqa: E501
"""A program that copies its input: two loads of the same bytes, and a store."""
RIGHT = {"input": 128, "local": 256, "start": "0x0", "stride": 64}


def listing(folder: Path, **changes: object) -> Path:
    """Write the program, with some of its numbers changed, and return its path."""
    text = LISTING.format(hash=load_target("edge-1c").content_hash, **{**RIGHT, **changes})
    path = folder / "copy.isa.mlir"
    path.write_text(text)
    return path


def model(path: Path, node: onnx.NodeProto, *weights: onnx.TensorProto) -> Path:
    """Write a model of one node, from x f32[1, 4] to its output."""
    shape = [1, 4] if node.op_type == "Relu" else None
    graph = oh.make_graph(
        [node],
        "g",
        [oh.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 4])],
        [oh.make_tensor_value_info(node.output[0], onnx.TensorProto.FLOAT, shape)],
        weights,
    )
    onnx.save(oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.parametrize("quantize", ["f32", "int8"])
def test_padding_beyond_all_memory(smalti: Smalti, tmp_path: Path, out: Path, quantize: str):
    pads = numpy_helper.from_array(np.array([0, 10**10, 0, 0], np.int64), "p")
    path = model(tmp_path / "pad.onnx", oh.make_node("Pad", ["x", "p"], ["y"], "pad"), pads)
    options = ("--quantize", quantize, "--calibration", "random:0", "-o", out / "m.smalti")
    assert_diagnostic(smalti("compile", path, *options), "pad", "10000000004 elements", folder=out)


@pytest.mark.parametrize("quantize", ["f32", "int8"])
def test_name_of_70_000_letters(smalti: Smalti, tmp_path: Path, quantize: str):
    path = model(tmp_path / "name.onnx", oh.make_node("Relu", ["x"], ["y" * 70_000]))
    program = tmp_path / "m.smalti"
    options = ("--quantize", quantize, "--calibration", "random:0", "-o", program)
    assert smalti("compile", path, *options).code == 0
    np.savez(tmp_path / "x.npz", x=np.array([[-1, 0, 0.5, 1]], np.float32))
    words = ("run", program, "--inputs", tmp_path / "x.npz")
    assert smalti(*words).code == 0
    ran = smalti(*words, "--outputs", tmp_path / "y.npz")
    assert_diagnostic(ran, "70,000 characters, too many for an .npz file")


def test_the_program_is_right_as_it_stands(smalti: Smalti, tmp_path: Path):
    path = listing(tmp_path)
    assert smalti("assemble", path, "-o", tmp_path / "m.smalti").code == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stride": 1}, ["copy.isa.mlir", "overlap"]),
        ({"local": 64}, ["copy.isa.mlir", "local"]),
        (
            {"input": 256, "start": "0x40"},
            ["reads bytes 128 to 191 of segment input", "nobody wrote"],
        ),
    ],
    ids=["own_runs_overlap", "beyond_local", "beside_the_input"],
)
def test_edited_programs(
    smalti: Smalti, tmp_path: Path, out: Path, changes: dict[str, object], words: list[str]
):
    path = listing(tmp_path, **changes)
    assert_diagnostic(smalti("assemble", path, "-o", out / "m.smalti"), *words, folder=out)


def test_sanitizer_tells_bytes_beside_the_inputs(smalti: Smalti, tmp_path: Path):
    """Of a program file, too, whoever wrote it."""
    program = tmp_path / "m.smalti"
    path = listing(tmp_path, input=256, start="0x40")
    assert smalti("assemble", path, "--no-sanitize", "-o", program).code == 0
    np.savez(tmp_path / "x.npz", x=np.ones((1, 32), np.float32))
    ran = smalti("run", program, "--inputs", tmp_path / "x.npz", "--sanitize")
    assert_diagnostic(ran, "load", "which nobody wrote")
