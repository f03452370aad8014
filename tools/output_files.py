"""What a command must not write to: a file that it reads, or one whose name says that it is something else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..dialects.diagnostic import DiagnosticError, Place


def keep_inputs(outputs: Iterable[Path | str | None], inputs: Iterable[Path | str | None]) -> None:
    """Raises DiagnosticError if an output is the same file as an input; None stands for no file."""
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


def program_path(path: Path) -> Path:
    """`path` if a program may have that name.

    Raises:
        DiagnosticError: it is named as IR or a model is, and would be read as such.
    """
    if path.suffix in (".mlir", ".onnx"):
        raise DiagnosticError(
            f"a program file cannot be named *{path.suffix}",
            Place(file=str(path)),
            hint="-o names the program, such as m.smalti; IR is named after it: m.top.mlir, m.tpu.mlir …",
        )
    return path
