"""Writes several files as one: all of them replace the old ones, or none does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from .destination import check_writable, is_device, resolved
from .diagnostic import DiagnosticError, Place
from .files import put_in_place, write_atomically
from .system_errors import telling_path
from .temporary import temporary_file, temporary_folder


def check_takes_neighbors(path: Path) -> None:
    """Raise DiagnosticError if a path names a device, pipe or open descriptor: no files can be written beside it."""
    if is_device(path):
        raise DiagnosticError(
            "cannot write: it is not a file, and others are to be written beside it",
            Place(file=str(path)),
            hint="name a file",
        )


@contextmanager
def files_together(path: Path) -> Iterator[Path]:
    """Yield a temporary folder, whose files become, at the end, the files of the same names beside `path`.

    If anything is raised meanwhile, or a disk is full, the old files stay as they were. Links stay links: the files
    that they lead to are replaced. Raises DiagnosticError, with the path that a file would have had, if one cannot be
    written, or if `path` is no file.
    """
    check_takes_neighbors(path)
    with ExitStack() as stack:
        with telling_path(path):
            folder = stack.enter_context(temporary_folder(resolved(path)))
        try:
            yield folder
        except DiagnosticError as error:
            _tell_final_path(error, folder, path.parent)
            raise
        # Only renaming is left once every file is complete on the disk of its place.
        moves = [
            move
            for written in sorted(folder.iterdir())
            if (move := _made_ready(written, path.parent / written.name, stack)) is not None
        ]
        for written, target, shown in moves:
            with telling_path(shown):
                put_in_place(written, target)


def _made_ready(written: Path, path: Path, stack: ExitStack) -> tuple[Path, Path, Path] | None:
    """Return a file that a rename makes `path`, the target of that rename, and `path`; None if `path` is a device,
    which has taken the bytes.

    Where a link leads to another folder, which may be on another disk, that file is a copy, which `stack` removes.
    """
    if is_device(path):
        with written.open("rb") as source:
            write_atomically(path, lambda file: shutil.copyfileobj(source, file))
        return None
    with telling_path(path):
        check_writable(path)
        target = resolved(path)
        if target.parent == written.parent.parent:
            return written, target, path
        file, copy = stack.enter_context(temporary_file(target))
        with written.open("rb") as source:
            shutil.copyfileobj(source, file)
        file.flush()
        return copy, target, path


def _tell_final_path(error: DiagnosticError, folder: Path, final: Path) -> None:
    """Let an error name the path that a file would have had, in place of its temporary path."""
    place = error.place
    if place is not None and place.file is not None and Path(place.file).parent == folder:
        error.place = replace(place, file=str(final / Path(place.file).name))
