"""Notes at the end of an IR file which program the same compile wrote, so that files of two compiles are told apart:

    {-#
      external_resources: {
        smalti: {
          program: "sha256:0123456789abcdef"
        }
      }
    #-}

The text above it stays that of the IR alone. Tools that write the IR again drop the note, since what they write is no
longer the IR that became the program.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ....backends.diagnostics.diagnostic import DiagnosticError
from ..source_text import SourceText
from .file_metadata import resource_text, take_metadata

_RESOURCE, _ENTRY = "smalti", "program"
_TAIL_BYTES = 4096


def note_program(files: Iterable[Path], program_hash: str) -> None:
    """Note at the end of IR files the hash of the program that was made of them. The files must have no metadata."""
    note = resource_text(_RESOURCE, {_ENTRY: f'"{program_hash}"'})
    for path in files:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(note)


def noted_program(path: Path) -> str | None:
    """Return the hash of the program that an IR file notes, None if there is no such file or note.

    Only the end of the file is read.
    """
    if not path.is_file():
        return None
    with suppress(OSError, DiagnosticError), path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
        tail = file.read().decode("utf-8", errors="replace")
        found = take_metadata(SourceText(tail, str(path))).external.get(_RESOURCE)
        noted = found.get(_ENTRY) if isinstance(found, dict) else None
        return noted if isinstance(noted, str) else None
    return None
