"""The types of arguments that name files: what a command reads, what it writes, and that these are apart.

Every argument that names a file has one of these types, so that one check sees all paths of a command.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Self

_NAMED = re.compile(rb'smalti\.(weights|target)"?\s*=\s*"((?:[^"\\\n]|\\.)*)"')
_DUMP = re.compile(r"\d+_.*\.(before|after|after_failed)\.mlir|index\.json")


class InputFile(str):
    """A file that the command reads, or what stands for no file: - or random:SEED."""


class PassText(str):
    """Passes as text, whose options may name files that are read: a calibration table, a target."""

    def files(self) -> list[Path]:
        """Return the files that options may name: all their words."""
        from ...passes.registry import words_of_options

        return [Path(word) for word in words_of_options(self.passes())]

    def passes(self) -> str:
        """Return the text of the passes alone."""
        return self


class PlacedPassText(PassText):
    """Passes after the place in the pipeline where they go, `PLACE:PASSES`."""

    def passes(self) -> str:
        """Return the text of the passes alone."""
        return self.partition(":")[2]


class OutputFile(str):
    """A file that the command writes, or - for standard output."""

    def __new__(cls, text: object) -> Self:
        """Raise ArgumentTypeError, which becomes an error of usage, if the path is that of a folder: "", ".", "/"."""
        if not Path(str(text)).name:
            raise argparse.ArgumentTypeError(f"'{text}' names no file")
        return super().__new__(cls, text)

    def files(self) -> list[Path]:
        """Return every file that may be written."""
        return [] if self == "-" else [Path(self)]


class OutputIr(OutputFile):
    """An IR file that the command writes, with its weights beside it."""

    def files(self) -> list[Path]:
        from ...backends.diagnostics.destination import is_device

        own = super().files()
        return own + [path.with_suffix(".safetensors") for path in own if not is_device(path)]


class OutputModel(OutputFile):
    """An ONNX model that the command writes, perhaps with a file of its weights beside it."""

    def files(self) -> list[Path]:
        from ...backends.diagnostics.destination import is_device

        own = super().files()
        return own + [path.with_name(f"{path.name}.data") for path in own if not is_device(path)]


class OutputFolder(str):
    """A folder that the command writes IR dumps to."""


class CacheFolder(str):
    """A folder of files that the command finds or makes, named after hashes."""


def check_files(args: argparse.Namespace, **derived: Sequence[Path]) -> None:
    """Check the files of a command before it does anything.

    `derived` gives, by the name of an argument, every file that is written for it, where the argument does not say so.

    Raises DiagnosticError if a file would be written that is read, or twice, or that cannot be written; paths are
    compared as files are: through links and folders.
    """
    values = {**vars(args), **dict.fromkeys(derived)}
    read = [path for value in values.values() for path in _read_by(value)]
    written = {name: _written_by(value) for name, value in values.items()} | derived
    for folder in [value for value in values.values() if isinstance(value, OutputFolder)]:
        _check_folder(Path(folder), read)
    _check_apart(written, [*read, *_named_by(read, written)])
    _check_writable(written)


@contextmanager
def reports_beside(args: argparse.Namespace) -> Iterator[None]:
    """Print to standard error where a file of the command goes to standard output."""
    from ...backends.diagnostics.destination import descriptor_of

    paths = [path for value in vars(args).values() for path in _written_by(value)]
    if any(descriptor_of(path) == 1 for path in paths):
        with redirect_stdout(sys.stderr):
            yield
    else:
        yield


def _read_by(value: object) -> list[Path]:
    if isinstance(value, list | tuple):
        return [path for each in value for path in _read_by(each)]
    if isinstance(value, PassText):
        return value.files()
    return [Path(value)] if isinstance(value, InputFile) and value != "-" else []


def _written_by(value: object) -> list[Path]:
    if isinstance(value, list | tuple):
        return [path for each in value for path in _written_by(each)]
    return value.files() if isinstance(value, OutputFile) else []


def _check_apart(written: dict[str, Sequence[Path]], read: Sequence[Path]) -> None:
    from ...backends.diagnostics.diagnostic import DiagnosticError, Place

    inputs = {key: path for path in read for key in _keys(path)}
    outputs: dict[object, int] = {}
    paths = [path for each in written.values() for path in each]
    for number, path in enumerate(paths):
        for key in _keys(path):
            other = outputs.setdefault(key, number)
            if key in inputs:
                message, note = "the output would replace the input", "input"
                shown = inputs[key]
            elif other != number:
                message, note = "two outputs would be the same file", "other output"
                shown = paths[other]
            else:
                continue
            raise DiagnosticError(
                message,
                Place(file=str(path)),
                notes=[f"the {note} is {shown}"],
                hint="name another file",
            )


def _keys(path: Path) -> list[object]:
    """Return what is the same for two paths of one file; nothing for devices, which no output can harm."""
    from ...backends.diagnostics.destination import is_device

    if is_device(path):
        return []
    try:
        status = path.stat()
        # Two names of one file (hard links) have the same number.
        return [os.path.realpath(path), (status.st_dev, status.st_ino)]
    except OSError:
        return [os.path.realpath(path)]
    except ValueError:
        return []


def _named_by(read: Sequence[Path], written: dict[str, Sequence[Path]]) -> Iterator[Path]:
    """Yield the files that the inputs name in turn: weights, target and pipeline of IR, external data of models."""
    existing = [path for paths in written.values() for path in paths if path.is_file()]
    if not existing:
        return
    for path in read:
        if path.suffix == ".mlir" and path.is_file():
            yield from _named_in_ir(path)
        elif path.suffix == ".onnx" and path.is_file():
            yield from _external_data(path, existing)


def _named_in_ir(path: Path) -> Iterator[Path]:
    from ...backends.diagnostics.diagnostic import DiagnosticError
    from ...backends.diagnostics.files import TEXT_LIMIT_BYTES, read_bytes
    from ...compiler.driver.crash_reproducer import read_reproducer
    from ...dialects.ir.text.file_metadata import REPRODUCER

    data = read_bytes(path, "", TEXT_LIMIT_BYTES, "check the path")
    for match in _NAMED.finditer(data):
        name = match[2].decode("utf-8", "replace")
        if "\\" not in name:
            # Weights lie beside the IR, a target is named as on the command line.
            yield path.parent / name if match[1] == b"weights" else Path(name)
    if REPRODUCER.encode() in data:
        with suppress(DiagnosticError):
            text = data.decode("utf-8", "replace")
            yield from PassText(read_reproducer(text, str(path)).pipeline).files()


def _external_data(path: Path, existing: Sequence[Path]) -> Iterator[Path]:
    """Yield those of the existing files that an ONNX model names as its tensors' data."""
    from ...compiler.onnx_import.model.external_data import external_locations
    from ...compiler.onnx_import.model.model_file import open_model

    model, _ = open_model(path)
    named = {
        os.path.realpath(path.parent / each)
        for each in external_locations(model)
        if "\0" not in each
    }
    yield from (each for each in existing if os.path.realpath(each) in named)


def _check_folder(folder: Path, read: Sequence[Path]) -> None:
    from ...backends.diagnostics.diagnostic import DiagnosticError, Place

    for path in read:
        same = os.path.realpath(path.parent) == os.path.realpath(folder)
        if same and path.is_file() and _DUMP.fullmatch(path.name):
            raise DiagnosticError(
                "the dumps would replace the input",
                Place(file=str(folder)),
                notes=[f"the input is {path}"],
                hint="name another folder",
            )


def _check_writable(written: dict[str, Sequence[Path]]) -> None:
    from ...backends.diagnostics.destination import check_writable
    from ...backends.diagnostics.system_errors import cannot_write

    for path in [path for paths in written.values() for path in paths]:
        try:
            check_writable(path)
        except OSError as error:
            raise cannot_write(path, error) from None
        except ValueError as error:
            raise cannot_write(repr(str(path)), OSError(22, str(error))) from None
