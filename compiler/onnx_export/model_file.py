"""Writes ONNX files with the data of constants one after the other, so that a model never stands in memory whole.

A serialized model is made of fields that may come in any order (https://protobuf.dev/programming-guides/encoding): the
constants, whose data are most of it, are appended to the other fields of the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from onnx import ModelProto, TensorProto

from ...backends.diagnostics.destination import is_device
from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.file_group import files_together
from ...backends.diagnostics.files import write_atomically
from ..onnx_import.model.large_tensors import tag_of_bytes
from ..onnx_import.model.model_file import PROTOBUF_LIMIT_BYTES
from .initializer import Initializer

_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9
"""Numbers of fields, from onnx.proto."""
_LEAST_EXTERNAL_BYTES = 1024
"""Smaller constants stay in the model: some shapes must, so that tools can infer others from them."""
_ALIGNMENT = 4096
"""External data begin at multiples of this, so that they can be mapped (ONNX, external data)."""


def data_file(path: Path) -> Path:
    """Return the file beside a model's that its external data are in: m.onnx has m.onnx.data."""
    return path.with_name(f"{path.name}.data")


def write_model(
    path: Path, model: ModelProto, initializers: Sequence[Initializer], external: bool
) -> None:
    """Write a model, without its constants in `model`, to a file; with `external`, or where it is too big for one file,
    large constants go to a file beside it.

    Raises DiagnosticError if a file cannot be written; both are as they were then.
    """
    if not external and _size_of(model, initializers) <= PROTOBUF_LIMIT_BYTES:
        write_atomically(path, lambda file: _write(file, model, initializers))
        return
    if is_device(path):
        raise DiagnosticError(
            "the model needs a file beside it for its constants, and this is a device or pipe",
            Place(file=str(path)),
            hint="name a file",
        )
    with files_together(path) as folder:
        with data_file(folder / path.name).open("wb") as file:
            references = _write_data(file, data_file(path).name, initializers)
        small = [each for each in initializers if each.size_bytes < _LEAST_EXTERNAL_BYTES]
        model.graph.initializer.extend(references)
        write_atomically(folder / path.name, lambda file: _write(file, model, small))


def _write_data(
    file: BinaryIO, name: str, initializers: Sequence[Initializer]
) -> list[TensorProto]:
    """Write the data of large constants to a file called `name`, and return tensors that say where they stand."""
    tensors: list[TensorProto] = []
    for each in initializers:
        if each.size_bytes < _LEAST_EXTERNAL_BYTES:
            continue
        file.write(b"\0" * (-file.tell() % _ALIGNMENT))
        tensor = each.header()
        tensor.data_location = TensorProto.EXTERNAL
        where = {"location": name, "offset": file.tell(), "length": each.size_bytes}
        for key, value in where.items():
            tensor.external_data.add(key=key, value=str(value))
        tensors.append(tensor)
        file.write(each.data())
    return tensors


def _size_of(model: ModelProto, initializers: Sequence[Initializer]) -> int:
    """Return the bytes of a model's file with all of its constants inside, or a little more."""
    beside = sum(len(each.name.encode()) + 10 * len(each.shape) + 64 for each in initializers)
    return model.ByteSize() + beside + sum(each.size_bytes for each in initializers)


def _write(file: BinaryIO, model: ModelProto, initializers: Sequence[Initializer]) -> None:
    rest = ModelProto()
    rest.CopyFrom(model)
    rest.ClearField("graph")
    graph = model.graph.SerializeToString()
    heads = [_head(each) for each in initializers]
    sizes = (len(head) + each.size_bytes for head, each in zip(heads, initializers, strict=True))
    file.write(rest.SerializeToString())
    file.write(tag_of_bytes(_GRAPH, len(graph) + sum(sizes)))
    file.write(graph)
    for head, each in zip(heads, initializers, strict=True):
        file.write(head)
        file.write(each.data())


def _head(initializer: Initializer) -> bytes:
    """Return what stands before the data of a constant in its graph."""
    fields = initializer.header().SerializeToString()
    raw = tag_of_bytes(_RAW_DATA, initializer.size_bytes)
    content = len(fields) + len(raw) + initializer.size_bytes
    return tag_of_bytes(_INITIALIZER, content) + fields + raw
