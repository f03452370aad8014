"""What is wrong with .npz files: of inputs, of references, of outputs."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from .diagnostics import RELU, Smalti, assert_diagnostic


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


def test_compare_refuses_another_shape(
    smalti: Smalti, small_files: Path, small_data: Path, tmp_path: Path
):
    np.savez(tmp_path / "reference.npz", y=np.zeros((1, 5), np.float32))
    ran = smalti(
        "run", small_files / "small.smalti", "--inputs", small_data, "--compare", tmp_path / "reference.npz"
    )  # fmt: skip
    assert_diagnostic(ran, "'y'", "(8, 5)", "(1, 5)")


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


def test_names_too_long_for_an_npz(smalti: Smalti, tmp_path: Path):
    name = "y" * 70_000
    (tmp_path / "long.top.mlir").write_text(RELU.replace('"y"', f'"{name}"'))
    np.savez(tmp_path / "in.npz", x=np.zeros(4, np.float32))
    out = tmp_path / "out.npz"
    ran = smalti(
        "run", tmp_path / "long.top.mlir", "--inputs", tmp_path / "in.npz", "--outputs", out
    )
    assert_diagnostic(ran, "70,000 characters", "out.npz: error", "shorter name")
    assert not out.exists()
