"""Turns the tensors of an ONNX model into arrays, without copying big ones and without trusting
their sizes.
"""

from __future__ import annotations

import math
import os
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

import numpy as np

from ....backends.diagnostics.diagnostic import DiagnosticError, Place
from ....backends.numerics.packing import packed_bytes, unpack
from ....backends.numerics.storage import FILE_PACKED_NAMES, dtype_of, name_of
from .large_tensors import OWN_FILE

if TYPE_CHECKING:
    from onnx import TensorProto

_PACKED = frozenset(dtype_of(name) for name in FILE_PACKED_NAMES)


class TensorReader:
    """Reads the tensors of one model; external data are memory-mapped from files in the model's
    folder.

    `folder` is None for a model that does not come from a file: it cannot have external data.
    `data` are the bytes of the model's own file, where its large tensors stay (`large_tensors`).
    """

    def __init__(self, file: str, folder: Path | None, data: np.ndarray | None = None):
        self.file = file
        self.folder = folder
        self.data = data
        self._maps: dict[Path, np.ndarray] = {}

    def read(self, tensor: TensorProto) -> np.ndarray:
        """Read a tensor as a read-only array of its shape.

        Raises:
            DiagnosticError: if the element type is unknown, a dimension is negative, the data have the wrong size, or
                external data are missing, too short or outside of the model's folder.
        """
        import onnx

        dtype = self._dtype(tensor)
        shape = tuple(tensor.dims)
        if any(size < 0 for size in shape):
            raise self._error(tensor, f"has a negative dimension: {list(shape)}")
        if tensor.HasField("segment"):
            raise self._error(tensor, "is a part of a tensor only (its field segment)")
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            return self._external(tensor, dtype, shape)
        if tensor.HasField("raw_data"):
            return self._raw(tensor, dtype, shape)
        try:
            array = onnx.numpy_helper.to_array(tensor)
        except (ValueError, TypeError, OverflowError) as error:
            raise self._error(tensor, f"cannot be read: {error}") from error
        if array.shape != shape:
            raise self._error(tensor, f"has {array.size} elements, its shape is {list(shape)}")
        array.flags.writeable = False
        return array

    def _dtype(self, tensor: TensorProto) -> np.dtype:
        from onnx.helper import tensor_dtype_to_np_dtype

        try:
            return np.dtype(tensor_dtype_to_np_dtype(tensor.data_type))
        except (KeyError, ValueError, TypeError) as error:
            raise self._error(tensor, f"has the unknown element type {tensor.data_type}") from error

    def _raw(self, tensor: TensorProto, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
        data = tensor.raw_data
        expected = _stored_bytes(math.prod(shape), dtype)
        if dtype.hasobject or len(data) != expected:
            raise self._error(
                tensor, f"has {len(data)} bytes of data, {expected} are needed for {list(shape)}"
            )
        if _is_packed(dtype):
            return _unpacked(np.frombuffer(data, np.uint8), shape, dtype)
        return np.frombuffer(data, dtype.newbyteorder("<")).reshape(shape)

    def _external(self, tensor: TensorProto, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
        fields = {entry.key: entry.value for entry in tensor.external_data}
        if dtype.hasobject:
            raise self._error(tensor, f"keeps {dtype} elements as external data: not supported")
        expected = _stored_bytes(math.prod(shape), dtype)
        try:
            offset = int(fields.get("offset") or 0)
            length = int(fields.get("length") or expected)
        except ValueError as error:
            raise self._error(tensor, f"external offset or length: {error}") from error
        if length != expected:
            kind = "data" if OWN_FILE in fields else "external data"
            raise self._error(
                tensor, f"has {length} bytes of {kind}, {expected} are needed for {list(shape)}"
            )
        name, data = self._external_data(tensor, fields)
        if offset < 0 or offset + length > data.size:
            raise self._error(
                tensor,
                f"needs bytes {offset} to {offset + length} of '{name}', which has {data.size}",
                "the data file is cut off or of another model: export or download both again",
            )
        part = data[offset : offset + length]
        if _is_packed(dtype):
            return _unpacked(part, shape, dtype)
        return part.view(dtype.newbyteorder("<")).reshape(shape)

    def _external_data(self, tensor: TensorProto, fields: dict[str, str]) -> tuple[str, np.ndarray]:
        """Return the file that holds a tensor's data, and its bytes."""
        if OWN_FILE in fields and self.data is not None:
            return self.file, self.data
        path = self.file_of(tensor)
        return path.name, self._map(tensor, path)

    def file_of(self, tensor: TensorProto) -> Path:
        """Return the file beside the model's that holds a tensor's data.

        Raises DiagnosticError if there is none, or if it is outside of the model's folder.
        """
        location = next((each.value for each in tensor.external_data if each.key == "location"), "")
        hint = "external data must be a file in the folder of the model, named by a relative path"
        if self.folder is None:
            raise self._error(
                tensor,
                "is external data, and a model in memory has no folder",
                "load it with onnx.load(path), or give the path itself",
            )
        if not location or "\0" in location:
            raise self._error(tensor, "names no file for its external data", hint)
        absolute = PurePosixPath(location).is_absolute() or PureWindowsPath(location).anchor
        if absolute or ".." in PurePosixPath(location.replace("\\", "/")).parts:
            raise self._error(
                tensor, f"refers to '{location}', outside of the model's folder", hint
            )
        # The folder itself may be reached through links, but no link in it may lead out of it.
        folder = Path(os.path.realpath(self.folder))
        path = Path(os.path.realpath(folder / location))
        if not path.is_relative_to(folder):
            raise self._error(
                tensor, f"refers to '{location}', a link that leads outside of its folder", hint
            )
        if not path.is_file():
            raise self._error(
                tensor,
                f"needs the data file '{location}', which is not beside the model",
                "put the file back beside the .onnx file, or export the model again",
            )
        return path

    def _map(self, tensor: TensorProto, path: Path) -> np.ndarray:
        if path not in self._maps:
            try:
                empty = path.stat().st_size == 0
                self._maps[path] = (
                    np.zeros(0, np.uint8) if empty else np.memmap(path, np.uint8, "r")
                )
            except (OSError, ValueError) as error:
                raise self._error(tensor, f"cannot read '{path.name}': {error}") from error
        return self._maps[path]

    def _error(self, tensor: TensorProto, message: str, hint: str | None = None) -> DiagnosticError:
        place = Place(file=self.file, name=f"tensor '{tensor.name}'")
        return DiagnosticError(message, place, hint=hint)


def _is_packed(dtype: np.dtype) -> bool:
    """Return whether several elements share a byte in ONNX's raw data (types of 6, 4 and 2 bits)."""
    return dtype in _PACKED


def _stored_bytes(elements: int, dtype: np.dtype) -> int:
    """Return how many bytes elements take in ONNX's raw data."""
    if _is_packed(dtype):
        return packed_bytes(elements, name_of(dtype))
    return elements * dtype.itemsize


def _unpacked(data: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    array = unpack(data, shape, name_of(dtype))
    array.flags.writeable = False
    return array
