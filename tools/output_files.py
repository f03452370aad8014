"""Checks that a command does not write to a file that it reads, nor to one that is named as something else."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ..backends.diagnostics.diagnostic import DiagnosticError, Place


def keep_inputs(outputs: Iterable[Path | str | None], inputs: Iterable[Path | str | None]) -> None:
    """Raise DiagnosticError if an output is the same file as an input; None stands for no file."""
    read = [Path(path) for path in inputs if path]
    for output in (Path(path) for path in outputs if path):
        for path in read:
            if output.is_file() and path.is_file() and output.samefile(path):
                raise DiagnosticError(
                    "the output would replace the input",
                    Place(file=str(output)),
                    notes=[f"the input is {path}"],
                    hint="name another file",
                )


def check_writable(outputs: Iterable[Path | str]) -> None:
    """Raise DiagnosticError if an output cannot be written, before long work is done for it."""
    for output in map(Path, outputs):
        folder = output.absolute().parent
        if output.is_dir():
            reason = "Is a directory"
        elif not folder.is_dir():
            reason = "No such file or directory"
        elif not os.access(folder, os.W_OK):
            reason = "Permission denied"
        else:
            continue
        raise DiagnosticError(
            f"cannot write: {reason}",
            Place(file=str(output)),
            hint="name a file in a folder that exists and can be written",
        )


def program_path(path: Path) -> Path:
    """Return `path`, if a program may have that name.

    Raises DiagnosticError if it is named as IR or a model is, and would be read as such.
    """
    if path.suffix in (".mlir", ".onnx"):
        raise DiagnosticError(
            f"a program file cannot be named *{path.suffix}",
            Place(file=str(path)),
            hint="-o names the program, such as m.smalti; IR is named after it: m.top.mlir, m.tpu.mlir …",
        )
    return path
