"""Hashes of contents: of files, arrays, plugins and Smalti itself, and of values that are made of such."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError, Place

_PIECE_BYTES = 1 << 20
_PARTS_OF_SMALTI = ("backends", "compiler", "dialects", "passes")
_LIBRARIES = ("numpy", "onnx", "xdsl")
"""The libraries whose versions may change what is compiled."""


class UnknownContentError(Exception):
    """A value has a content that cannot be told; the message names it."""


def hash_of_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, of which 1 MiB are held at a time. Raises DiagnosticError."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
    except OSError as error:
        raise DiagnosticError(f"cannot read: {error.strerror}", Place(file=str(path))) from None
    return digest.hexdigest()


def hash_of_array(array: np.ndarray) -> str:
    """Return the SHA-256 of an array's dtype, shape and elements in row-major order."""
    digest = hashlib.sha256(f"{array.dtype} {array.shape}".encode())
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def hash_of_values(values: object) -> str:
    """Return the SHA-256 of what `described` returns, as JSON. Raises as that does."""
    return hashlib.sha256(json.dumps(described(values), sort_keys=True).encode()).hexdigest()


def described(value: object) -> Any:
    """Return a value as JSON holds it: paths and arrays by their contents, dataclasses by their fields.

    Raises:
        DiagnosticError: if a file cannot be read.
        UnknownContentError: if a value is none of these.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return {"file": hash_of_file(value)}
    if isinstance(value, np.ndarray | np.generic):
        return {"array": hash_of_array(np.asarray(value))}
    if isinstance(value, Mapping):
        return {"mapping": [[str(key), described(each)] for key, each in value.items()]}
    if isinstance(value, Enum):
        return [type(value).__name__, value.name]
    if is_dataclass(value):
        parts = {each.name: described(getattr(value, each.name)) for each in fields(value)}
        return {type(value).__name__: parts}
    if isinstance(value, list | tuple):
        return [described(each) for each in value]
    raise UnknownContentError(f"a {type(value).__name__}")


def hash_of_package(folder: str | Path) -> str:
    """Return a hash of the names, sizes and times of change of a folder's Python files, or of a single file's.

    It changes whenever a file is edited or installed anew, and takes some milliseconds. Raises DiagnosticError if the
    folder cannot be read.
    """
    found: list[tuple[str, int, int]] = []
    try:
        if Path(folder).is_file():
            status = os.stat(folder)
            found.append(("", status.st_size, status.st_mtime_ns))
        for parent, _, names in os.walk(folder):
            for name in names:
                if name.endswith(".py"):
                    path = os.path.join(parent, name)
                    status = os.stat(path)
                    relative = os.path.relpath(path, folder)
                    found.append((relative, status.st_size, status.st_mtime_ns))
    except OSError as error:
        raise DiagnosticError(f"cannot read: {error.strerror}", Place(file=str(folder))) from None
    return hashlib.sha256(json.dumps(sorted(found)).encode()).hexdigest()


def smalti_itself() -> dict[str, str]:
    """Return what tells this Smalti from any other one: versions of it and its libraries, and hashes of its folders, so
    that who works on a pass never meets the program of an earlier one.
    """
    told = {name: version(name) for name in ("smalti", *_LIBRARIES)}
    root = __name__.partition(".")[0]
    for part in _PARTS_OF_SMALTI:
        spec = find_spec(f"{root}.{part}")
        assert spec is not None and spec.origin is not None
        told[part] = hash_of_package(Path(spec.origin).parent)
    return told
