"""Bad input gives a diagnostic: what, where, what to do; exit code 1, no traceback, nothing half-written."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from onnx import TensorProto
from smalti.backends.instructions.instruction_set import Pool
from smalti.backends.program import container
from smalti.backends.program.encoding import word_dtype
from smalti.backends.targets import target
from smalti.tools import opt

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


def test_malformed_sizes_are_usage(smalti: Smalti, small_onnx: Path, out: Path):
    assert smalti("import", small_onnx, "--input-shape", "x:1", "-o", out / "m").code == 2
    for text in ("N", "N=", "=1", "N=0", "N=-1", "N=x"):
        assert smalti("import", small_onnx, "--define-symbol", text, "-o", out / "m").code == 2


def test_unknown_symbol(smalti: Smalti, small_onnx: Path, out: Path):
    ran = smalti("import", small_onnx, "--define-symbol", "N=1", "-o", out / "m.top.mlir")
    assert_diagnostic(ran, "N", "none", folder=out)


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


def test_output_in_no_folder_is_said_before_the_work(smalti: Smalti, tmp_path: Path, out: Path):
    """Before the model is even read: the one that is named is not there either."""
    ran = smalti("compile", tmp_path / "absent.onnx", "-o", out / "absent" / "m.smalti")
    assert_diagnostic(ran, "m.smalti", "cannot write", folder=out)


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


def test_compare_refuses_another_shape(
    smalti: Smalti, small_files: Path, small_data: Path, tmp_path: Path
):
    np.savez(tmp_path / "reference.npz", y=np.zeros((1, 5), np.float32))
    ran = smalti(
        "run", small_files / "small.smalti", "--inputs", small_data, "--compare", tmp_path / "reference.npz"
    )  # fmt: skip
    assert_diagnostic(ran, "'y'", "(8, 5)", "(1, 5)")


# .npz files


def npy(header: str, body: bytes = b"") -> bytes:
    """An array file with a header of our own."""
    text = header.encode() + b" " * (-(11 + len(header)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


def header(shape: str, descr: str = "'<f4'") -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}"


HOSTILE_ARRAYS = {
    "huge": npy(header("(1000000, 1000000, 1000000)")),
    "negative": npy(header("(-1, -3, 12, 12)"), bytes(4000)),
    "bool shape": npy(header("(True, 3, 12, 12)"), bytes(1728)),
    "no bytes each": npy(header("(1000000000000,)", "'|S0'")),
    "no header": b"\x93NUMPY\x01\x00\xff\xff",
    "code": npy("__import__('os').abort()"),
    "unfinished": npy("{'descr': ("),
    "nested": npy("(" * 30000),
    "strings": npy(header("(1, 3, 12, 12)", "'<U1'"), bytes(1728)),
    "complex": npy(header("(1, 3, 12, 12)", "'<c8'"), bytes(3456)),
    "future": b"\x93NUMPY\x09\x00" + bytes(100),
}


@pytest.mark.parametrize("case", HOSTILE_ARRAYS)
def test_hostile_arrays(
    smalti: Smalti, small_files: Path, small_onnx: Path, tmp_path: Path, out: Path, case: str
):
    path = tmp_path / "hostile.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", HOSTILE_ARRAYS[case])
    for program in ("small.smalti", "small.top.mlir"):
        assert_diagnostic(smalti("run", small_files / program, "--inputs", path))
    ran = smalti("compile", small_onnx, "--calibration", path, "-o", out / "m.smalti")
    assert_diagnostic(ran, "hostile.npz", folder=out)


def test_damaged_npz(smalti: Smalti, small_files: Path, small_data: Path, tmp_path: Path):
    data, rng = small_data.read_bytes(), np.random.default_rng(0)
    path = tmp_path / "damaged.npz"
    for position in (*rng.integers(0, 180, 20), *(len(data) - rng.integers(1, 100, 20))):
        damaged = bytearray(data)
        damaged[position] = rng.integers(256)
        path.write_bytes(damaged)
        ran = smalti("run", small_files / "small.smalti", "--inputs", path)
        if ran.code:
            assert_diagnostic(ran)


def test_file_that_expands_without_end(
    smalti: Smalti, small_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("smalti.compiler.inputs.arrays.MAX_BYTES", 2**20)
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros((2000, 3, 12, 12), np.float32))
    assert (tmp_path / "bomb.npz").stat().st_size < 2**14
    ran = smalti("run", small_files / "small.smalti", "--inputs", tmp_path / "bomb.npz")
    assert_diagnostic(ran, "bomb.npz", "1048576")


@pytest.mark.parametrize("seed", ["", "x", "-1", "1.5"])
def test_random_calibration_needs_a_seed(smalti: Smalti, small_onnx: Path, out: Path, seed: str):
    ran = smalti("compile", small_onnx, "--calibration", f"random:{seed}", "-o", out / "m.smalti")
    assert_diagnostic(ran, "seed", folder=out)


# models


MODEL_EDITS: dict[str, tuple[Callable[[onnx.ModelProto], object], str]] = {
    "cycle": (lambda m: m.graph.node[0].input.__setitem__(0, "a"), "first"),
    "undefined": (lambda m: m.graph.node[1].input.__setitem__(0, "zzz"), "zzz"),
    "no opset": (lambda m: m.ClearField("opset_import"), "opset"),
    "future opset": (lambda m: setattr(m.opset_import[0], "version", 999), "999"),
    "claimed size": (lambda m: m.graph.initializer[0].dims.__setitem__(0, 2**31), "w1"),
    "negative size": (lambda m: m.graph.initializer[0].dims.__setitem__(0, -1), "w1"),
    "huge input": (
        lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[2], "dim_value", 2**30),
        "first",
    ),
    "unknown input": (
        lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[2], "dim_param", "H"),
        "--input-shape",
    ),
    "input type": (lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", 8), "STRING"),
    "huge pads": (
        lambda m: m.graph.node[0].attribute[0].ints.__setitem__(slice(None), [2**40] * 4),
        "too big",
    ),
}


@pytest.mark.parametrize("case", MODEL_EDITS)
def test_hostile_models(smalti: Smalti, tmp_path: Path, out: Path, case: str):
    edit, word = MODEL_EDITS[case]
    model = small_model()
    edit(model)
    (tmp_path / "hostile.onnx").write_bytes(model.SerializeToString())
    ran = smalti(
        "compile", tmp_path / "hostile.onnx", "--calibration", "random:0", "-o", out / "m.smalti"
    )
    assert_diagnostic(ran, "hostile.onnx", word, folder=out)


def test_flipped_bytes_in_a_model(smalti: Smalti, tmp_path: Path, out: Path):
    data, rng = small_model().SerializeToString(), np.random.default_rng(2)
    path = tmp_path / "flipped.onnx"
    for index in range(40):
        damaged = bytearray(data)
        region = (0, 400) if index % 2 else (len(data) - 500, len(data))
        damaged[rng.integers(*region)] = rng.integers(256)
        path.write_bytes(damaged)
        ran = smalti("import", path, "-o", out / "m.top.mlir")
        if ran.code:
            assert_diagnostic(ran)


ODD_NAMES = [
    'a "b"',
    "back\\slash",
    "two\nlines",
    "größe→日本",
    "%x }{",
    "n" * 3000,
    "../../etc",
    "\x07",
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
def test_odd_names_go_all_the_way(
    smalti: Smalti, tmp_path: Path, out: Path, small_data: Path, name: str
):
    """Names of nodes, of inner tensors and of the output may hold anything."""
    model = small_model()
    for node in model.graph.node:
        node.name = f"{name}{node.name}"
        for names in (node.input, node.output):
            names[:] = [name + each if each in ("r1", "y") else each for each in names]
    model.graph.output[0].name = f"{name}y"
    model.graph.name = name
    onnx.save(model, tmp_path / "odd.onnx")
    words = ("--calibration", small_data, "--emit", "top,tpu,tile,isa,program")
    assert smalti("compile", tmp_path / "odd.onnx", *words, "-o", out / "m.smalti").code == 0
    results = []
    for file in ("m.smalti", "m.isa.mlir", "m.tile.mlir", "m.tpu.mlir"):
        ran = smalti("run", out / file, "--inputs", small_data, "--outputs", tmp_path / "o.npz")
        assert ran.code == 0, ran.err
        results.append(ran.out)
    assert len(set(results)) == 1


# IR and programs


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


ISA_EDITS = {
    "unknown instruction": (": conv2d ", ": conv3d ", "conv3d"),
    "unknown field": (" rows=", " rowz=", "rowz"),
    "after a later one": ("after d1 ", "after m0 ", "m0"),
    "after nothing": ("after d1 ", "after d9999 ", "d9999"),
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


# targets


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


# outputs and options


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


PIPELINES = ["nope", "canonicalize{", "canonicalize{x=1}", "canonicalize,,cse", "x" * 5000, "größe",
             "tile-split-over-cores{cores=0}", "convert-top-to-tpu{quantize=int4}"]  # fmt: skip


@pytest.mark.parametrize("pipeline", PIPELINES, ids=range(len(PIPELINES)))
def test_pipelines(small_files: Path, capfd: pytest.CaptureFixture[str], pipeline: str):
    assert opt.main([str(small_files / "small.top.mlir"), "-p", pipeline]) == 1
    captured = capfd.readouterr()
    assert "error:" in captured.err and "Traceback" not in captured.err and captured.out == ""


@pytest.mark.parametrize(
    "table",
    ["", "[]", "{}", '{"format": 99, "ranges": {}}', '{"format": 1, "ranges": {"x": [1, -1]}}',
     '{"format": 1, "ranges": {"x": [0, NaN]}}', '{"format": 1, "ranges": {"x": "wide"}}', "[" * 50000],
    ids=range(8),
)  # fmt: skip
def test_calibration_tables(
    small_files: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], table: str
):
    (tmp_path / "table.json").write_text(table)
    pipeline = f'top-annotate-calibration{{table="{tmp_path / "table.json"}"}}'
    assert opt.main([str(small_files / "small.top.mlir"), "-p", pipeline]) == 1
    captured = capfd.readouterr()
    assert "table.json" in captured.err and "Traceback" not in captured.err


_RELU = """\
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %y = top.relu "y" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("func.func private @f(tensor<4xf32>) -> tensor<4xf32>\n" + _RELU, ["one func.func @main"]),
        (
            _RELU.replace(
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
    ids=["declaration", "negative_seed", "nul", "loop_of_links", "fifo"],
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


def test_names_too_long_for_an_npz(smalti: Smalti, tmp_path: Path):
    name = "y" * 70_000
    (tmp_path / "long.top.mlir").write_text(_RELU.replace('"y"', f'"{name}"'))
    np.savez(tmp_path / "in.npz", x=np.zeros(4, np.float32))
    out = tmp_path / "out.npz"
    ran = smalti(
        "run", tmp_path / "long.top.mlir", "--inputs", tmp_path / "in.npz", "--outputs", out
    )
    assert_diagnostic(ran, "70,000 characters", "out.npz: error", "shorter name")
    assert not out.exists()


def test_an_empty_output_is_told_as_empty(smalti: Smalti, tmp_path: Path):
    graph = oh.make_graph(
        [oh.make_node("Slice", ["x", "s", "e"], ["y"])],
        "g",
        [oh.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [oh.make_tensor_value_info("y", TensorProto.FLOAT, [0])],
        [oh.make_tensor(name, TensorProto.INT64, [1], [2]) for name in "se"],
    )
    model = oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "empty.onnx")
    np.savez(tmp_path / "in.npz", x=np.zeros(4, np.float32))
    assert smalti("import", tmp_path / "empty.onnx", "-o", tmp_path / "m.top.mlir").code == 0
    ran = smalti("run", tmp_path / "m.top.mlir", "--inputs", tmp_path / "in.npz")
    assert ran.code == 0 and "empty" in ran.out, ran.err


def test_a_full_disk_behind_standard_output_is_told(tmp_path: Path):
    (tmp_path / "m.mlir").write_text(_RELU)
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


@pytest.mark.parametrize("quantize", ["f32", "int8"])
def test_tensors_larger_than_the_memory_are_refused_at_once(
    smalti: Smalti, tmp_path: Path, out: Path, quantize: str
):
    """Before calibration computes them, and before they are cut into tiles."""
    text = _RELU.replace(
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
