"""Weights inside the text of IR, for IR that goes through a pipe and has no weight file beside it.

They are a safetensors file, written in hexadecimal as MLIR writes its blobs, in the metadata at the end of the text:

    {-#
      external_resources: {
        smalti: {
          weights: "0x40000000..."
        }
      }
    #-}
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from ....backends.diagnostics.diagnostic import DiagnosticError, Place
from ..weights import ALIGNMENT, WeightStore
from .file_metadata import Value, resource_text

CARRIED_LIMIT_BYTES = 1 << 28
"""The greatest size of weights that a text carries: 256 MiB, which take twice as many characters."""
_RESOURCE, _ENTRY = "smalti", "weights"
_PREFIX = "0x"
_HEAD = ALIGNMENT.to_bytes(4, "little")
"""MLIR's blobs begin with the alignment of their data, in four bytes."""


def carried_text(store: WeightStore, keys: Sequence[str]) -> str:
    """Return the metadata that carry the weights `keys`, to be written after the text of a module."""
    stream = io.BytesIO()
    store.write_to(stream, keys)
    return resource_text(_RESOURCE, {_ENTRY: f'"{_PREFIX}{_HEAD.hex()}{stream.getvalue().hex()}"'})


def take_carried(external: Mapping[str, Value], store: WeightStore, file: str) -> None:
    """Add the weights that the metadata of a text carry to a store, as weights that are in no file.

    Raises DiagnosticError if they are damaged.
    """
    found = external.get(_RESOURCE)
    text = found.get(_ENTRY) if isinstance(found, dict) else None
    if text is None:
        return
    place = Place(file=file)
    try:
        if not isinstance(text, str) or not text.startswith(_PREFIX):
            raise ValueError
        data = bytes.fromhex(text.removeprefix(_PREFIX))
    except ValueError:
        raise DiagnosticError(
            "the weights at the end of the text are no hexadecimal number",
            place,
            hint="write the IR again, with -o FILE or --weights-out FILE",
        ) from None
    store.add_file(data[len(_HEAD) :], place)
