"""Bytes of arrays in pieces: in order, whole, and no longer in memory than they are used."""

import mmap
from pathlib import Path

import numpy as np
import pytest
from smalti.dialects.ir import array_bytes
from smalti.dialects.ir.array_bytes import memory_of, pieces_of


def resident_bytes(path: Path) -> int:
    """How much of a file this process has mapped and resident."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    found = 0
    for line in lines:
        if line.endswith(str(path)):
            rest = next(each for each in lines if each.startswith("Rss:"))
            found += int(rest.split()[1]) << 10
    return found


@pytest.mark.parametrize("dtype", ["f4", "i1", "i8", "?"])
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (7, 11, 13)])
def test_pieces_are_the_bytes(dtype: str, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(array_bytes, "PIECE_BYTES", 64)
    array = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    assert b"".join(map(bytes, pieces_of(array))) == array.tobytes()
    if array.ndim > 1:
        assert b"".join(map(bytes, pieces_of(array.T))) == array.T.tobytes()


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="the system does not say")
def test_pages_of_a_file_leave_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A view of a mapped file, which begins anywhere, is never resident as a whole."""
    monkeypatch.setattr(array_bytes, "PIECE_BYTES", 1 << 18)
    path = tmp_path / "data"
    numbers = np.arange(1 << 20, dtype=np.int32)
    path.write_bytes(b"12345678" + numbers.tobytes())
    array = np.memmap(path, np.uint8, "r")[8:].view(np.int32)
    assert isinstance(memory_of(array), mmap.mmap)
    most = max(resident_bytes(path) for piece in pieces_of(array) if len(piece))
    assert most <= 1 << 20
    np.testing.assert_array_equal(array, numbers)
