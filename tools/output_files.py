"""Checks how a program file is named."""

from __future__ import annotations

from pathlib import Path

from ..backends.diagnostics.diagnostic import DiagnosticError, Place


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
