"""Transposes in temporary files: the same numbers as in memory, read-only, and kept by the store without a copy."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import numpy as np
import pytest
from smalti.compiler.onnx_import.graph import large_array
from smalti.compiler.onnx_import.graph.large_array import transposed
from smalti.dialects.ir.array_bytes import memory_of
from smalti.dialects.ir.weights import WeightStore


@pytest.mark.parametrize("shape", [(1, 1), (5000, 7), (7, 3000), (4097, 1025)])
@pytest.mark.parametrize("dtype", ["f4", "f2", "i8"])
def test_a_matrix(shape: tuple[int, int], dtype: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(large_array, "LEAST_BYTES", 0)
    array = np.random.default_rng(0).integers(0, 1000, shape).astype(dtype)
    found = transposed(array, (1, 0))
    np.testing.assert_array_equal(found, array.T)
    assert found.dtype == array.dtype and not found.flags.writeable
    assert isinstance(memory_of(found), mmap.mmap)
    store = WeightStore()
    assert store.get(store.add("w", found)) is found


def test_a_mapped_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(large_array, "LEAST_BYTES", 0)
    numbers = np.arange(6000, dtype=np.float32).reshape(60, 100)
    (tmp_path / "data").write_bytes(b"1234" + numbers.tobytes())
    source = np.memmap(tmp_path / "data", np.uint8, "r")[4:].view(np.float32).reshape(60, 100)
    np.testing.assert_array_equal(transposed(source, (1, 0)), numbers.T)
    np.testing.assert_array_equal(source, numbers)


def test_without_room_on_the_disk(monkeypatch: pytest.MonkeyPatch):
    """The transpose stays in memory, as small arrays and other permutations do."""

    def full(*_: int) -> None:
        raise OSError("no space left on device")

    array = np.arange(24).reshape(4, 6)
    for least, permutation in ((0, (1, 0)), (1 << 20, (1, 0)), (0, (0, 1))):
        monkeypatch.setattr(large_array, "LEAST_BYTES", least)
        monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
        found = transposed(array, permutation)
        np.testing.assert_array_equal(found, array.transpose(permutation))
        assert not isinstance(memory_of(found), mmap.mmap) and not found.flags.writeable
