"""Bad input gives a diagnostic: what, where, what to do; exit code 1, no traceback, nothing half-written."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from onnx import TensorProto

from .conftest import Ran, small_model

Smalti = Callable[..., Ran]


def assert_diagnostic(ran: Ran, *words: str, folder: Path | None = None, kept: int = 0) -> None:
    """Exit code 1, an error that has all the words and a hint, no traceback, no new file in `folder`."""
    assert ran.code == 1, (ran.code, ran.out, ran.err)
    assert "error:" in ran.err
    assert "Traceback" not in ran.err + ran.out
    for word in words:
        assert word.lower() in ran.err.lower(), f"{word!r} is not in:\n{ran.err}"
    if folder is not None:
        assert len(list(folder.iterdir())) == kept, sorted(folder.iterdir())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty folder for what a command writes."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage that is no protobuf \xff\xff\xff\xff" * 20, None],
    ids=["empty", "garbage", "truncated"],
)
def test_damaged_onnx(smalti: Smalti, tmp_path: Path, out: Path, content: bytes | None):
    data = small_model().SerializeToString()
    path = tmp_path / "bad.onnx"
    path.write_bytes(data[: len(data) // 2] if content is None else content)
    ran = smalti("compile", path, "--calibration", "random:0", "-o", out / "m.smalti")
    assert_diagnostic(ran, "bad.onnx", folder=out)


def test_no_such_model(smalti: Smalti, tmp_path: Path, out: Path):
    ran = smalti("import", tmp_path / "absent.onnx", "-o", out / "m.top.mlir")
    assert_diagnostic(ran, "absent.onnx", folder=out)


@pytest.mark.parametrize("location", ["absent.bin", "../outside.bin", "/etc/hostname"])
def test_external_data(smalti: Smalti, tmp_path: Path, out: Path, location: str):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "outside.bin").write_bytes(bytes(8 * 3 * 3 * 3 * 4))
    model = small_model()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    ran = smalti("import", folder / "m.onnx", "-o", out / "m.top.mlir")
    assert_diagnostic(ran, Path(location).name, folder=out)


def test_unknown_ops_are_all_named(smalti: Smalti, tmp_path: Path, out: Path):
    value = oh.make_tensor_value_info
    graph = oh.make_graph(
        [
            oh.make_node("NonZero", ["x"], ["a"], name="where_are_they"),
            oh.make_node("Det", ["x"], ["b"], name="volume"),
        ],
        "unknown",
        [value("x", TensorProto.FLOAT, [4, 4])],
        [value("a", TensorProto.INT64, None), value("b", TensorProto.FLOAT, [])],
    )
    path = tmp_path / "unknown.onnx"
    onnx.save(oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8), path)
    ran = smalti("import", path, "-o", out / "m.top.mlir")
    assert_diagnostic(ran, "NonZero", "where_are_they", "Det", "volume", "17", folder=out)


@pytest.mark.parametrize(
    ("shape", "words"),
    [("nope=1,3,12,12", ["nope", "x"]), ("x=1,3,12", ["x"]), ("x=1,4,12,12", [])],
    ids=["unknown name", "wrong rank", "wrong channels"],
)
def test_wrong_input_shape(
    smalti: Smalti, small_onnx: Path, out: Path, shape: str, words: list[str]
):
    ran = smalti("import", small_onnx, "--input-shape", shape, "-o", out / "m.top.mlir")
    assert_diagnostic(ran, *words, folder=out)


def test_malformed_input_shape_is_usage(smalti: Smalti, small_onnx: Path, out: Path):
    assert smalti("import", small_onnx, "--input-shape", "x:1", "-o", out / "m").code == 2


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


TARGET_EDITS = {
    "unknown field": (None, "warp_drive = 9\n", ["warp_drive"]),
    "zero cores": ("cores", "cores = 0\n", ["cores"]),
}


@pytest.mark.parametrize("case", TARGET_EDITS)
def test_bad_target_file(smalti: Smalti, small_onnx: Path, tmp_path: Path, out: Path, case: str):
    from smalti.backends.targets import target

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
    import re

    from smalti.backends.targets import target

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


def test_program_inputs(smalti: Smalti, small_files: Path, tmp_path: Path):
    program = small_files / "small.smalti"
    assert_diagnostic(smalti("run", program), "--inputs")
    np.savez(tmp_path / "wrong.npz", x=np.zeros((1, 3, 12, 11), np.float32))
    assert_diagnostic(smalti("run", program, "--inputs", tmp_path / "wrong.npz"), "x", "12")
    np.savez(tmp_path / "other.npz", z=np.zeros((1, 3, 12, 12), np.float32), w=np.zeros(3))
    assert_diagnostic(smalti("run", program, "--inputs", tmp_path / "other.npz"), "x")


def test_compare_refuses_without_common_names(
    smalti: Smalti, small_files: Path, small_data: Path, tmp_path: Path
):
    np.savez(tmp_path / "reference.npz", elsewhere=np.zeros((8, 5), np.float32))
    ran = smalti(
        "run",
        small_files / "small.smalti",
        "--inputs",
        small_data,
        "--compare",
        tmp_path / "reference.npz",
    )
    assert_diagnostic(ran, "elsewhere", "y")


def test_output_folder_is_absent(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    ran = smalti(
        "compile", small_onnx, "--calibration", "random:0", "-o", tmp_path / "no" / "m.smalti"
    )
    assert_diagnostic(ran, "no")
    assert not (tmp_path / "no").exists()


def test_usage_errors_exit_with_2(smalti: Smalti, small_onnx: Path):
    assert smalti("compile").code == 2
    assert smalti("compile", small_onnx, "--cores", "0").code == 2
    assert smalti("compile", small_onnx, "--emit", "top,bytecode").code == 2
    assert smalti("nonsense").code == 2
    assert smalti().code == 2
