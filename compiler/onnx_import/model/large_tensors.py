"""Leaves the data of large initializers in the model's file, since protobuf would copy them twice.

A serialized model is read field by field (https://protobuf.dev/programming-guides/encoding) down to the initializers of
its graph. If one keeps at least `LEAST_BYTES` as `raw_data`, these bytes are replaced by external data that say where
in the file they stand. What is left is small and goes through protobuf and ONNX's checker as any model does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LEAST_BYTES = 1 << 16
OWN_FILE = "smalti.own_file"
"""The key in a tensor's external data that says: `offset` counts from the start of the model's own file."""

# Numbers of fields, from onnx.proto.
_GRAPH, _INITIALIZER, _DATA_TYPE, _RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 7, 5, 2, 9, 13, 14
_WHOLE_BYTES = {1, 2, 3, 6, 7, 10, 11, 16}
"""Types whose elements take whole bytes: FLOAT, UINT8, INT8, INT32, INT64, FLOAT16, DOUBLE, BFLOAT16."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_EXTERNAL = 1


@dataclass(frozen=True)
class _Field:
    """One field: its number, its bytes from `start` (the tag) to `end`, and where its content starts."""

    number: int
    wire_type: int
    start: int
    content: int
    end: int


def without_large_tensors(data: memoryview) -> bytes | None:
    """Return the serialized model without the data of its large initializers.

    Returns None if there are none, or if `data` is not laid out as ONNX models are: protobuf then reads and judges it
    whole.
    """
    try:
        return _outlined_model(data)
    except (IndexError, ValueError):
        return None


def _outlined_model(data: memoryview) -> bytes | None:
    graphs = [each for each in _fields(data, 0, len(data)) if each.number == _GRAPH]
    # Protobuf would merge fields that come twice, but nobody writes models that way.
    if len(graphs) != 1 or graphs[0].wire_type != _BYTES:
        return None
    (graph,) = graphs
    parts: list[bytes | memoryview] = []
    changed = False
    for each in _fields(data, graph.content, graph.end):
        tensor = _outlined_tensor(data, each) if each.number == _INITIALIZER else None
        changed = changed or tensor is not None
        parts.append(data[each.start : each.end] if tensor is None else tensor)
    if not changed:
        return None
    inner = b"".join(parts)
    return b"".join([data[: graph.start], _message(_GRAPH, inner), data[graph.end :]])


def _outlined_tensor(data: memoryview, field: _Field) -> bytes | None:
    """Return the initializer with external data in place of its raw data, or None if it is to stay as it is."""
    if field.wire_type != _BYTES or field.end - field.content < LEAST_BYTES:
        return None
    fields = list(_fields(data, field.content, field.end))
    raw = [each for each in fields if each.number == _RAW_DATA]
    if len(raw) != 1 or raw[0].wire_type != _BYTES:
        return None
    if any(each.number in (_EXTERNAL_DATA, _DATA_LOCATION) for each in fields):
        return None
    types = [_read_varint(data, each.content)[0] for each in fields if each.number == _DATA_TYPE]
    if len(types) != 1 or types[0] not in _WHOLE_BYTES:
        return None
    (values,) = raw
    if values.end - values.content < LEAST_BYTES:
        return None
    entries = {
        OWN_FILE: "1",
        "offset": str(values.content),
        "length": str(values.end - values.content),
    }
    kept = [data[each.start : each.end] for each in fields if each is not values]
    inner = b"".join([*kept, *(_entry(key, value) for key, value in entries.items())])
    location = _varint(_DATA_LOCATION << 3 | _VARINT) + _varint(_EXTERNAL)
    return _message(_INITIALIZER, inner + location)


def _entry(key: str, value: str) -> bytes:
    """Return an entry of a tensor's external data, a StringStringEntryProto."""
    return _message(_EXTERNAL_DATA, _message(1, key.encode()) + _message(2, value.encode()))


def _fields(data: memoryview, start: int, end: int) -> Iterator[_Field]:
    """Yield the fields between two bytes. Raises ValueError or IndexError if they do not fill the space exactly."""
    position = start
    while position < end:
        tag, content = _read_varint(data, position)
        wire_type = tag & 7
        if wire_type == _VARINT:
            _, stop = _read_varint(data, content)
        elif wire_type == _BYTES:
            length, content = _read_varint(data, content)
            stop = content + length
        elif wire_type in (_FIXED64, _FIXED32):
            stop = content + (8 if wire_type == _FIXED64 else 4)
        else:
            raise ValueError(f"wire type {wire_type}")
        if stop > end:
            raise ValueError("a field ends behind its message")
        yield _Field(tag >> 3, wire_type, position, content, stop)
        position = stop


def _read_varint(data: memoryview, position: int) -> tuple[int, int]:
    """Return the variable-length number at a byte, and the position of the byte after it."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _message(number: int, content: bytes) -> bytes:
    """Return a field that holds bytes."""
    return tag_of_bytes(number, len(content)) + content


def tag_of_bytes(number: int, size: int) -> bytes:
    """Return what stands before the content of a field of `size` bytes."""
    return _varint(number << 3 | _BYTES) + _varint(size)
