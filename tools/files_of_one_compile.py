"""Warns of a program and IR files beside it that different compiles wrote.

A compile that is killed while it puts its files in place, or one with other options that writes the program alone,
leaves IR of one compile beside the program of another.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ..dialects.level import LEVELS


def warn_of_mixed_files(path: str | Path) -> None:
    """Warn if IR files of other compiles than the program's lie beside it; `path` is the program's or an IR file's.

    IR that another tool wrote, or an older Smalti, does not say from which compile it is, and is taken as it is.
    """
    from ..backends.diagnostics.diagnostic import Diagnostic, Place
    from ..backends.program.container import program_hash
    from ..dialects.ir.text.program_note import noted_program

    program, files = _compile_of(Path(path))
    found = program_hash(program)
    if found is None:
        return
    for file in files:
        noted = noted_program(file)
        if noted is not None and noted != found:
            warning = Diagnostic(
                "warning",
                f"the IR is not that of '{program.name}' beside it: the IR notes program {noted}, this is {found}",
                Place(file=str(file)),
                hint="compile again with --emit, so that all files are written together, or delete the note at "
                "the end of the IR if you edited the IR and compiled it",
            )
            print(warning, file=sys.stderr)


def _compile_of(path: Path) -> tuple[Path, list[Path]]:
    """Return the program that a compile writes beside a file, and the IR files to look at: for a program those of all
    levels, for an IR file this file.
    """
    if path.suffix == ".mlir":
        level = Path(path.stem).suffix.removeprefix(".")
        stem = path.stem.removesuffix(f".{level}") if level in LEVELS else path.stem
        return path.with_name(f"{stem}.smalti"), [path]
    stem = path.name.removesuffix(".smalti")
    return path, [path.with_name(f"{stem}.{level}.mlir") for level in LEVELS]
