"""The key of a program: a hash of all that it is made of."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...backends.targets.target import load_target
from ..compilation.compile_options import DEFAULT_TARGET, CompileOptions
from ..plugins.plugin import plugin_files
from .content import (
    UnknownContentError,
    described,
    hash_of_file,
    hash_of_package,
    hash_of_values,
    smalti_itself,
)

if TYPE_CHECKING:
    from onnx import ModelProto


def program_key(
    model: str | Path | ModelProto, options: CompileOptions, sizes: Mapping[str, object]
) -> str:
    """Return the key, 64 hexadecimal digits, of the program that a compilation of an ONNX model makes.

    It is the content of the model and its external data, of the options and the files that they name, of the target, of
    the plugins that are loaded, and of Smalti itself; where files lie does not matter. `sizes`: those of the inputs and
    the limits of the import, as `start_from_model` takes them.

    Raises:
        DiagnosticError: if a file cannot be read or the model is none.
        UnknownContentError: if the content of an option or of a plugin cannot be told.
    """
    return hash_of_values(
        {
            "smalti": smalti_itself(),
            "plugins": list(_plugins()),
            "target": load_target(options.target or DEFAULT_TARGET).content_hash,
            "options": _options(options),
            "sizes": dict(sizes),
            "model": _model(model),
        }
    )


def _options(options: CompileOptions) -> dict[str, Any]:
    """Return options as JSON holds them; the target stands beside them, and files count by their contents."""
    told: dict[str, Any] = {}
    for each in fields(CompileOptions):
        value = getattr(options, each.name)
        if each.name == "target":
            continue
        if each.name in ("calibration", "qtable"):
            value = _as_file(value)
        elif each.name == "accuracy":
            value = {**vars(value), "samples": _as_file(value.samples)}
        elif each.name == "schedule" and value is not None:
            value = str(value)
        elif each.name in ("insertions", "changes"):
            value = [str(value), [_as_file(word) for word in _words(str(value))]]
        told[each.name] = described(value)
    return told


def _words(text: str) -> list[str]:
    """Return what may be the path of a file in options of passes."""
    return re.split(r"[\s'\"{}=,()]+", text)


def _as_file(value: object) -> object:
    """Return the path that a text means, if there is such a file."""
    return Path(value) if isinstance(value, str) and Path(value).is_file() else value


def _plugins() -> Iterator[tuple[str, str]]:
    for name, files in sorted(plugin_files().items()):
        if not files:
            raise UnknownContentError(f"the plugin {name}, which no file holds")
        for file in files:
            yield name, hash_of_package(file)


def _model(model: str | Path | ModelProto) -> list[str]:
    """Return the hashes of a model and of the files with its external data."""
    from ..onnx_import.model.external_data import external_data_files
    from ..onnx_import.model.model_file import open_model

    if not isinstance(model, str | Path):
        whole = hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()
        return [whole, *map(hash_of_file, external_data_files(model, None))]
    opened, _ = open_model(model)
    beside = external_data_files(opened, Path(model).parent)
    return [hash_of_file(model), *map(hash_of_file, beside)]
