"""Writes a file that reproduces the failure of a pipeline: the IR before it, and the pipeline's text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.file_group import files_together
from ...backends.diagnostics.files import read_text, write_text
from ...dialects.ir.context import SmaltiContext
from ...dialects.ir.source_text import SourceText
from ...dialects.ir.text.file_metadata import REPRODUCER, metadata_text, take_metadata
from ...dialects.ir.text.module_text import write_module
from ...passes.instrument import PassInstrument
from ...passes.registry import print_pipeline


class CrashReproducer(PassInstrument):
    """Keeps the IR from before a pipeline, and writes it with the pipeline's text to `path` when the pipeline fails.

    It does so whatever the reason, also if the user interrupts. Weights go to a file beside `path`, and `stream` is
    told where the file is. `smalti-opt --run-reproducer` runs such a file.
    """

    def __init__(self, path: Path, stream: TextIO, *, verify_each: bool = True) -> None:
        self.path, self.stream, self.verify_each = path, stream, verify_each
        self._ctx: Context | None = None
        self._module: ModuleOp | None = None
        self._pipeline = ""

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        self._ctx, self._module = ctx, module.clone()
        self._pipeline = _anchored(passes)

    def leave(self, module: ModuleOp, error: BaseException | None) -> None:
        kept, self._module = self._module, None
        if error is None or kept is None or not isinstance(self._ctx, SmaltiContext):
            return
        try:
            _write(kept, self._ctx, self._pipeline, self.path, self.verify_each)
        except DiagnosticError as failure:
            # What stopped the pipeline matters more, and comes after this.
            self.stream.write(f"{failure}\nnote: no reproducer was written\n")
            return
        self.stream.write(f"note: reproduce with: smalti-opt --run-reproducer {self.path}\n")


class ReproducerWriter(PassInstrument):
    """Writes the IR before a pipeline with the pipeline's text to `path`, whether or not the pipeline fails."""

    def __init__(self, path: Path, *, verify_each: bool = True) -> None:
        self.path, self.verify_each = path, verify_each

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        if isinstance(ctx, SmaltiContext):
            _write(module.clone(), ctx, _anchored(passes), self.path, self.verify_each)


def _anchored(passes: Sequence[ModulePass]) -> str:
    return f"builtin.module({print_pipeline(passes)})"


def _write(
    module: ModuleOp, ctx: SmaltiContext, pipeline: str, path: Path, verify_each: bool
) -> None:
    with files_together(path) as folder:
        file = folder / path.name
        write_module(module, file, ctx)
        write_text(file, read_text(file) + metadata_text(pipeline, verify_each=verify_each))


@dataclass(frozen=True)
class Reproducer:
    """The text of a pipeline, and whether to verify after each pass.

    `left_out`: options of MLIR's passes that our passes of the same name lack.
    """

    pipeline: str
    verify_each: bool
    left_out: tuple[str, ...] = ()


_MLIR_OPTIONS = {
    "canonicalize": frozenset(
        {
            "cse-between-iterations", "disable-patterns", "enable-patterns", "max-iterations",
            "max-num-rewrites", "region-simplify", "test-convergence", "top-down",
        }
    )
}  # fmt: skip
"""Options that mlir-opt writes into a reproducer whether they were given or not."""
_WITH_OPTIONS = re.compile(rf"\b({'|'.join(_MLIR_OPTIONS)})\{{([^{{}}]*)\}}")


def read_reproducer(text: str, file: str) -> Reproducer:
    """Read the reproducer in a file's metadata, Smalti's or MLIR's own.

    Raises DiagnosticError if the file has none.
    """
    found = take_metadata(SourceText(text, file)).external.get(REPRODUCER)
    pipeline = found.get("pipeline") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(pipeline, str):
        raise DiagnosticError(
            "the file is no reproducer: it says no pipeline",
            Place(file=file),
            hint="one is written by --mlir-pass-pipeline-crash-reproducer=FILE; "
            "give other files a pipeline with -p",
        )
    left_out: list[str] = []

    def plain(match: re.Match[str]) -> str:
        names = [option.partition("=")[0] for option in match[2].split()]
        if not set(names) <= _MLIR_OPTIONS[match[1]]:
            return match[0]
        left_out.extend(f"{match[1]}{{{name}}}" for name in names)
        return match[1]

    ours = _WITH_OPTIONS.sub(plain, pipeline)
    return Reproducer(ours, found.get("verify_each") is not False, tuple(left_out))
