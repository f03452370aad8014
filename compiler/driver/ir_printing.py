"""Prints the IR before and after passes, as mlir-opt does: to a stream, or to numbered files."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TextIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import DiagnosticError, Place, words_of
from ...backends.diagnostics.files import write_text
from ...passes.instrument import PassInstrument

ModuleText = Callable[[ModuleOp], str]
"""From a module to its text, as the user wants it printed."""


@dataclass(frozen=True)
class PrintPoints:
    """When to print IR: around passes of these names, around all, after those that changed it or failed."""

    before: Sequence[str] = ()
    after: Sequence[str] = ()
    before_all: bool = False
    after_all: bool = False
    after_change: bool = False
    after_failure: bool = False

    def any(self) -> bool:
        """Return whether IR is printed at all."""
        flags = (self.before_all, self.after_all, self.after_change, self.after_failure)
        return bool(self.before or self.after or any(flags))

    def is_before(self, name: str) -> bool:
        """Return whether IR is printed before pass `name`."""
        return self.before_all or name in self.before

    def is_after(self, name: str) -> bool:
        """Return whether IR is printed after pass `name`, if `after_change` allows it."""
        chosen = self.after_all or name in self.after
        # As in MLIR, `after_change` narrows what else is asked for; alone it is about every pass.
        return chosen or (self.after_change and not self.after)


class Sink(Protocol):
    """A place to which IR is printed."""

    def write(self, each: ModulePass, number: int, when: str, text: str) -> None:
        """Take the IR `when` ("before", "after", "after failed") pass `each` ran as the `number`th."""
        ...


@dataclass
class BannerSink:
    """Writes IR to a stream under MLIR's banners."""

    stream: TextIO

    def write(self, each: ModulePass, number: int, when: str, text: str) -> None:
        moment = {"before": "Before", "after": "After", "after failed": "After"}[when]
        failed = " Failed" if when == "after failed" else ""
        title = f"{type(each).__name__}{failed} ({each.name})"
        self.stream.write(f"// -----// IR Dump {moment} {title} //----- //\n{text}\n")


@dataclass
class FolderSink:
    """Writes IR to numbered files in a folder, and lists them in index.json.

    A file is named `NN_PASS.WHEN.mlir`: `00_cse.before.mlir`, `03_canonicalize.after.mlir`.
    """

    folder: Path
    _entries: list[dict[str, str | int]] = field(default_factory=list)

    def write(self, each: ModulePass, number: int, when: str, text: str) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DiagnosticError(
                f"cannot make the folder: {error.strerror or error}", Place(file=str(self.folder))
            ) from None
        name = f"{number:02}_{each.name}.{when.replace(' ', '_')}.mlir"
        write_text(self.folder / name, text)
        entry: dict[str, str | int] = {"file": name, "number": number, "pass": each.name}
        self._entries.append({**entry, "when": when})
        write_text(self.folder / "index.json", json.dumps(self._entries, indent=2) + "\n")


class IrPrinting(PassInstrument):
    """Prints the IR at `points` into `sink`, with `text_of` to make text of it."""

    def __init__(self, points: PrintPoints, text_of: ModuleText, sink: Sink) -> None:
        self.points, self.text_of, self.sink = points, text_of, sink
        self._number = -1
        self._before: str | None = None

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        self._before = None

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        self._number += 1
        prints = self.points.is_before(each.name)
        compares = self.points.after_change and self.points.is_after(each.name)
        # The text after a pass is the text before the next one, unless that was not printed.
        if self._before is None and (prints or compares):
            self._before = self.text_of(module)
        if prints and self._before is not None:
            self.sink.write(each, self._number, "before", self._before)

    def after(self, each: ModulePass, module: ModuleOp) -> None:
        before, self._before = self._before, None
        if not self.points.is_after(each.name):
            return
        self._before = self.text_of(module)
        if not self.points.after_change or self._before != before:
            self.sink.write(each, self._number, "after", self._before)

    def failed(self, each: ModulePass, module: ModuleOp, error: BaseException) -> None:
        if self.points.after_failure or self.points.is_after(each.name):
            self.sink.write(
                each, self._number, "after failed", _text_of_wrong(module, self.text_of)
            )


def _text_of_wrong(module: ModuleOp, text_of: ModuleText) -> str:
    """Return the text of IR that a failed pass may have left half-made."""
    try:
        return text_of(module)
    except Exception as error:
        return f"// the IR cannot be printed any more: {words_of(error)}\n"
