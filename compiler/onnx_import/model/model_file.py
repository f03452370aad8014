"""Reads an ONNX file into a ModelProto, and refuses files that hold none.

External data are not loaded, and large weights can stay in the file.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ....backends.diagnostics.diagnostic import DiagnosticError, Place
from .large_tensors import without_large_tensors

if TYPE_CHECKING:
    from onnx import ModelProto

PROTOBUF_LIMIT_BYTES = 2**31 - 1
"""Protobuf refuses messages of 2 GiB and more; ONNX then keeps its tensors as external data."""


def read_model(path: str | Path) -> ModelProto:
    """Read the model in a binary .onnx file, without loading its external data.

    Raises:
        DiagnosticError: if there is no such file, or it cannot be read, is empty, too big, cut off, or not ONNX.
    """
    path = Path(path)
    return parse_model(_map(path).tobytes(), str(path))


def open_model(path: str | Path) -> tuple[ModelProto, np.ndarray]:
    """Read the model in a binary .onnx file, and map the bytes of the file into memory (u8).

    The data of large initializers are not in the model: their external data say where in the bytes
    they stand (`large_tensors.OWN_FILE`). Raises DiagnosticError as `read_model` does.
    """
    path = Path(path)
    data = _map(path)
    small = without_large_tensors(data.data)
    return parse_model(data.tobytes() if small is None else small, str(path)), data


def _map(path: Path) -> np.ndarray:
    place = Place(file=str(path))
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DiagnosticError(f"cannot read the model: {reason}", place) from error
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise DiagnosticError(f"this is {kind}", place, hint="give the path of an .onnx file")
    if status.st_size == 0:
        raise DiagnosticError("the file is empty", place, hint="download or export it again")
    if status.st_size > PROTOBUF_LIMIT_BYTES:
        raise DiagnosticError(
            f"the file has {status.st_size} bytes; an .onnx file must be smaller than 2 GiB",
            place,
            hint="save it with external data: onnx.save(model, path, save_as_external_data=True)",
        )
    try:
        return np.asarray(np.memmap(path, np.uint8, "r"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DiagnosticError(f"cannot read the model: {reason}", place) from error


def parse_model(data: bytes, file: str) -> ModelProto:
    """Parse the binary protobuf `data` of a model; errors name `file`.

    Raises:
        DiagnosticError: if `data` is not an ONNX model.
    """
    import onnx
    from google.protobuf.message import DecodeError

    place = Place(file=file)
    if data.startswith(b"version https://git-lfs"):
        raise DiagnosticError(
            "this is a Git LFS pointer, not the model itself", place, hint="run 'git lfs pull'"
        )
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise DiagnosticError(
            "this is not an ONNX model, or its end is missing",
            place,
            hint="check that this is a complete, binary .onnx file; export or download it again",
        ) from error
    # Protobuf accepts almost any bytes as unknown fields, so a model without a graph is refused
    # here.
    if not model.HasField("graph") or not model.ir_version:
        raise DiagnosticError(
            "this is not an ONNX model: it has no graph",
            place,
            hint="give a binary .onnx file that holds a network, not a tensor or a text form",
        )
    return model
