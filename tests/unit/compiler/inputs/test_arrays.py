""".npz files: what is written is read back; what lies about itself is refused before anything is allocated."""

import io
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.inputs.arrays import read_npz, write_npz


def test_round_trip(tmp_path: Path):
    arrays = {
        "a/b": np.arange(6).reshape(2, 3),
        "fortran": np.asfortranarray(np.eye(3)),
        "scalar": np.float32(3),
    }
    write_npz(tmp_path / "x.npz", arrays)  # pyright: ignore[reportArgumentType]
    got = read_npz(tmp_path / "x.npz")
    assert got.keys() == arrays.keys()
    for name, value in arrays.items():
        np.testing.assert_array_equal(got[name], value)


def npy_that_claims(shape: str) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (118 - len(header) - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(16)


def test_a_claim_of_terabytes_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "big.npz", "w") as archive:
        archive.writestr("x.npy", npy_that_claims("(1000000, 1000000)"))
    with pytest.raises(DiagnosticError, match="truncated"):
        read_npz(tmp_path / "big.npz")


def test_objects_are_refused(tmp_path: Path):
    np.savez(tmp_path / "o.npz", x=np.array([{}], dtype=object))
    with pytest.raises(DiagnosticError, match="objects"):
        read_npz(tmp_path / "o.npz")


def test_absent(tmp_path: Path):
    with pytest.raises(DiagnosticError, match="no such file"):
        read_npz(tmp_path / "absent.npz")
    for other in (tmp_path, Path("/dev/zero")):
        with pytest.raises(DiagnosticError, match="not a regular file"):
            read_npz(other)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_a_diagnostic(tmp_path: Path, data: st.DataObject):
    buffer = io.BytesIO()
    np.savez(buffer, x=np.arange(100), y=np.ones((3, 4)))
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.npz"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        read_npz(path)
    except DiagnosticError:
        pass


def test_bf16_is_written_as_f32(tmp_path: Path):
    values = np.array([1.0, -2.5, 3.0e38], ml_dtypes.bfloat16)
    write_npz(tmp_path / "x.npz", {"x": values, "y": values.astype(np.float32)})
    found = read_npz(tmp_path / "x.npz")
    assert found["x"].dtype == found["y"].dtype == np.float32
    np.testing.assert_array_equal(found["x"], found["y"])
